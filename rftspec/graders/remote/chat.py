"""A judge behind an OpenAI-compatible endpoint, through the `openai` package.

The first question finds out how the server wants to be asked: held to a JSON schema
(`response_format`), or, where it refuses that or answers as if it had not been said, told in words
to give JSON. All later questions are asked in that way.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, Omit

from rftspec.graders.remote import verdict as verdicts
from rftspec.graders.remote.budget import Budget
from rftspec.graders.remote.keys import Redactor
from rftspec.graders.remote.retry import Caller, Failure, TryAgain, retry_after
from rftspec.graders.remote.settings import ChatSettings
from rftspec.graders.remote.usage import Meter

MAX_REPLY_BYTES = 4 << 20
_NOT_THIS_WAY = frozenset({400, 415, 422, 501})
_PASSING = frozenset({408, 409, 425, 429})
_NO_QUOTA = "insufficient_quota"


@dataclass(frozen=True, slots=True)
class Question:
    """One sample's prompt for the judge, and the hash of all that its answer depends on."""

    key: str
    messages: tuple[tuple[str, str], ...]


class _Used:
    """The tokens of one question over all its attempts."""

    def __init__(self) -> None:
        self.counts = {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 0}
        self.unknown = 0
        """Requests that were sent and whose cost was never told."""

    def take(self, usage: Any) -> None:
        """Add what a response says that it cost."""
        if not isinstance(usage, Mapping):
            return
        details = usage.get("prompt_tokens_details")
        told = {**usage, **(details if isinstance(details, Mapping) else {})}
        for name in self.counts:
            amount = told.get(name)
            if isinstance(amount, int) and amount > 0:
                self.counts[name] += amount

    def total(self, estimate: int) -> int:
        """Tokens for the budget; a request of unknown cost counts as its estimate."""
        known = self.counts["prompt_tokens"] + self.counts["completion_tokens"]
        return known + self.unknown * estimate


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question that may be asked: it has a slot, and room in the budget."""

    question: Question
    estimate: int
    used: _Used = field(default_factory=_Used)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a server wants to be asked."""

    schema: bool
    limit: str = "max_completion_tokens"


class _Refused(Exception):
    """The server refused the request as such; it may take another form of it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ChatClient:
    """Asks one model at one endpoint; lives on one event loop."""

    def __init__(self, settings: ChatSettings, verdict: verdicts.Verdict, meter: Meter) -> None:
        self._settings = settings
        self._verdict = verdict
        self._meter = meter
        self._redactor = Redactor([settings.api_key()])
        self._budget = Budget(settings.max_tokens_total)
        self.caller = Caller(settings.limits, "model_grader_server_error", meter)
        self._client = _client(settings)
        self._way: _Way | None = None
        self._finding = asyncio.Lock()

    async def admit(self, question: Question) -> Ticket:
        """Wait for a free slot, and for room in the token budget. Raises Failure."""
        estimate = self._estimate(question)
        await self.caller.slots.acquire()
        admitted = False
        try:
            admitted = await self._budget.admit(estimate)
        finally:
            if not admitted:
                self.caller.slots.release()
        if not admitted:
            limit = self._settings.max_tokens_total
            detail = f"the token budget is used up: {self._budget.spent:,} of {limit:,} tokens"
            raise Failure("model_grader_server_error", detail)
        return Ticket(question, estimate)

    async def ask(self, ticket: Ticket) -> str:
        """The judge's reply to an admitted question. Raises Failure."""
        return await self._ask(ticket.question, ticket.used)

    def release(self, ticket: Ticket) -> None:
        """Give back the slot and the estimate of a question that has ended, however it did."""
        used = ticket.used
        self._meter.add(**used.counts)
        self._budget.settle(ticket.estimate, used.total(ticket.estimate))
        self.caller.slots.release()

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()

    def _estimate(self, question: Question) -> int:
        """Tokens that a question may take: three bytes a token, and the longest reply."""
        size = sum(len(content.encode()) for _, content in question.messages)
        return size // 3 + 16 + self._settings.longest_reply

    async def _ask(self, question: Question, used: _Used) -> str:
        if self._way is None:
            async with self._finding:
                if self._way is None:
                    return await self._find_way(question, used)
        try:
            return await self._call(question, self._way, used)
        except _Refused as refused:
            raise _of_the_request(refused) from None

    async def _find_way(self, question: Question, used: _Used) -> str:
        """Ask in the best way, then in plainer ones until the server answers as it should."""
        way: _Way | None = _Way(schema=self._settings.answer_format != "text")
        while True:
            assert way is not None
            try:
                text = await self._call(question, way, used)
            except _Refused as refused:
                way = self._plainer(way, refused)
                if way is None:
                    raise _of_the_request(refused) from None
                continue
            except _Cut as cut:
                if not way.schema or not self._may_be_told or cut.looks_like_json:
                    self._way = way
                    raise
                way = replace(way, schema=False)
                continue
            if way.schema and self._may_be_told and not self._follows(text):
                # held to the schema, a judge could not have said this: the server let it pass
                way = replace(way, schema=False)
                continue
            self._way = way
            return text

    @property
    def _may_be_told(self) -> bool:
        return self._settings.answer_format == "auto"

    def _plainer(self, way: _Way, refused: _Refused) -> _Way | None:
        if way.limit in refused.detail and way.limit == "max_completion_tokens":
            return replace(way, limit="max_tokens")
        if way.schema and self._may_be_told:
            return replace(way, schema=False)
        return None

    def _follows(self, text: str) -> bool:
        try:
            verdicts.read_verdict(text, self._verdict)
        except verdicts.NoVerdict:
            return False
        return True

    async def _call(self, question: Question, way: _Way, used: _Used) -> str:
        body = self._body(question, way)
        once = functools.partial(self._post, body, used)
        return await self.caller.call(question.key, once)

    def _body(self, question: Question, way: _Way) -> dict[str, Any]:
        settings = self._settings
        messages = list(question.messages)
        body: dict[str, Any] = {"model": settings.model, **settings.sampling}
        if way.schema:
            body["response_format"] = verdicts.response_format(self._verdict)
        else:
            messages = verdicts.instructed(messages, self._verdict)
        body["messages"] = [{"role": role, "content": content} for role, content in messages]
        body[way.limit] = settings.longest_reply
        return body

    async def _post(self, body: Mapping[str, Any], used: _Used) -> str:
        used.unknown += 1
        try:
            create = self._client.chat.completions.with_raw_response.create
            raw = await create(**body, extra_headers=self._headers())
            content = raw.content
        except openai.APIStatusError as error:
            used.unknown -= 1
            raise self._status_problem(error) from None
        except openai.APITimeoutError:
            raise TryAgain(f"no answer within {self._settings.limits.timeout_s:g} s") from None
        except openai.APIConnectionError as error:
            used.unknown -= _never_sent(error)
            detail = f"no connection: {error.__cause__ or error}"
            raise TryAgain(self._redactor.detail(detail)) from None
        except openai.OpenAIError as error:
            raise TryAgain(self._redactor.detail(f"{error}")) from None
        used.unknown -= 1
        return self._read(content, used)

    def _headers(self) -> dict[str, Any]:
        """Without a key, no header that would carry one."""
        return {} if self._settings.api_key() else {"Authorization": Omit()}

    def _status_problem(self, error: Any) -> Exception:
        status: int = error.status_code
        body = error.body if isinstance(error.body, Mapping) else {}
        told = body.get("message") or body.get("detail") or error.message
        detail = self._redactor.detail(f"HTTP {status}: {told}")
        if body.get("code") == "content_filter":
            return Failure("model_grader_refusal_error", detail)
        if status in _NOT_THIS_WAY:
            return _Refused(status, detail)
        if status == 413:
            return _of_the_request(_Refused(status, detail))
        passing = status >= 500 or status in _PASSING
        if passing and _NO_QUOTA not in (body.get("code"), body.get("type")):
            return TryAgain(detail, retry_after(error.response.headers.get("retry-after")))
        return Failure("model_grader_server_error", detail)

    def _read(self, content: bytes, used: _Used) -> str:
        """The judge's words in a response's body. Raises Failure, or TryAgain for a broken one."""
        try:
            body = json.loads(content)
            choice = body["choices"][0]
            message = choice["message"]
            text, refusal = message.get("content"), message.get("refusal")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            shown = content[:80].decode("utf-8", "replace")
            raise TryAgain(self._redactor.detail(f"not a chat completion: {shown}")) from None
        used.take(body.get("usage"))
        if refusal:
            raise Failure("model_grader_refusal_error", self._redactor.detail(str(refusal)))
        finish = choice.get("finish_reason")
        if finish == "content_filter":
            raise Failure("model_grader_refusal_error", "the answer was stopped by a filter")
        text = text if isinstance(text, str) else ""
        if finish == "length":
            raise _Cut(self._settings.longest_reply, text)
        return text


class _Cut(Failure):
    """The reply ended at its longest."""

    def __init__(self, limit: int, text: str) -> None:
        detail = f"the reply was cut at {limit} tokens; see `sampling_params.max_completion_tokens`"
        super().__init__("model_grader_parse_error", detail)
        self.looks_like_json = text.lstrip().startswith("{")


def _of_the_request(refused: _Refused) -> Failure:
    """A refusal that may come from what the request says: nothing that a server's state explains.

    A prompt that is too long for the judge has the model's answer in it, so it must not count as
    a server that is down: such samples may be dropped.
    """
    return Failure("other_error", f"the request was refused: {refused.detail}")


def _never_sent(error: Exception) -> int:
    """1 when no connection was made, so that nothing can have been charged."""
    return int("Connect" in type(error.__cause__).__name__)


class _TooLong(Failure):
    """A response's body is over the limit; raised while it is read, through the package."""

    def __init__(self) -> None:
        super().__init__("model_grader_parse_error", f"a reply over {MAX_REPLY_BYTES >> 20} MB")


class _Capped(httpx2.AsyncByteStream):
    """A body that may not grow without end."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise _TooLong
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _cap(response: httpx2.Response) -> None:
    """Hold a response to the limit before any of it is read."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _TooLong  # none was asked for, and unpacked it could be of any size
    response.stream = _Capped(response.stream)


def _client(settings: ChatSettings) -> AsyncOpenAI:
    """The package's client with our limits: no retries, redirects or environment of its own."""
    limits = settings.limits
    headers: dict[str, Any] = {"Accept-Encoding": "identity"}
    if not settings.is_openai:
        headers |= {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    return AsyncOpenAI(
        api_key=settings.api_key() or "none",
        admin_api_key="",
        base_url=settings.base_url,
        max_retries=0,
        timeout=limits.timeout_s,
        default_headers=headers,
        http_client=httpx2.AsyncClient(
            timeout=limits.timeout_s,
            follow_redirects=False,
            event_hooks={"response": [_cap]},
            limits=httpx2.Limits(max_connections=limits.concurrency),
        ),
    )
