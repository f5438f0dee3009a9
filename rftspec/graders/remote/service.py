"""A grader that posts samples to a service: its settings checked, its answers made scores."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from rftspec.diagnostics import Collector, DiagnosticError
from rftspec.graders.building import Builder, Interval, Settings
from rftspec.graders.expression import number_in_range
from rftspec.graders.remote.address import check_package, check_url, check_variables
from rftspec.graders.remote.keys import Redactor, value_of
from rftspec.graders.remote.settings import Limits
from rftspec.graders.remote.usage import Meter
from rftspec.graders.score import Item, Sample, Score

if TYPE_CHECKING:
    from rftspec.graders.remote.post import Parcel, Post

DEFAULT_RANGE: Interval = (0.0, 1.0)
_SECRET_NAMES = re.compile(r"(?i)authorization|api-?key|token|secret|password|cookie")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class _Address:
    """Where to send, and with what; `headers_env` names variables, as the spec does."""

    url: str
    headers: Mapping[str, str]
    headers_env: Mapping[str, str]
    limits: Limits

    def secrets(self) -> dict[str, str]:
        """The secret headers, read from the environment."""
        found = {header: value_of(name) for header, name in self.headers_env.items()}
        return {header: value for header, value in found.items() if value is not None}


class EndpointGrader:
    """A service's scores; grading blocks, and may be called from several threads."""

    def __init__(self, address: _Address, range_: Interval) -> None:
        self.range = range_
        self._address = address
        self._meter = Meter()
        self._open = threading.Lock()
        self._closed = False
        self._post: Post | None = None

    def usage(self) -> dict[str, int]:
        """Calls and retries since the grader was opened; an endpoint's tokens are not known."""
        return self._meter.read()

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """The service's score of each sample, in their order."""
        post = self._opened()
        if post is None:
            return [Score(None, "unresponsive_reward_error", "the grader is closed")] * len(samples)
        from rftspec.graders.remote.post import MAX_BYTES

        parcels = [_parcel(s, i) for s, i in zip(samples, items, strict=True)]
        fitting = [index for index, p in enumerate(parcels) if len(p.body) <= MAX_BYTES]
        said = f"the sample and its row are over {MAX_BYTES:,} bytes"
        scores = [Score(None, "other_error", said)] * len(parcels)
        answers = post.send([parcels[index] for index in fitting])
        for index, score in zip(fitting, answers, strict=True):
            scores[index] = score if score.value is None else self._checked(score)
        return scores

    def close(self) -> None:
        """End what is being sent, and give back the connections."""
        with self._open:
            self._closed = True
            post = self._post
        if post is not None:
            post.close()

    def _checked(self, score: Score) -> Score:
        return replace(number_in_range(score.value, self.range), seconds=score.seconds)

    def _opened(self) -> Post | None:
        with self._open:
            if self._post is None and not self._closed:
                from rftspec.graders.remote.post import Post

                address, secrets = self._address, self._address.secrets()
                self._post = Post(
                    address.url,
                    {**address.headers, **secrets},
                    address.limits,
                    self._meter,
                    Redactor(secrets.values()),
                )
            return None if self._closed else self._post


def build_endpoint(settings: Settings, builder: Builder) -> EndpointGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    found = Collector()
    headers = settings.get("headers", {})
    secret = settings.get("headers_env", {})
    interval = DEFAULT_RANGE
    try:
        interval = builder.interval(settings.get("range"), DEFAULT_RANGE)
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    found.extend(check_url(settings["url"], "url", builder, secret=bool(secret)))
    found.extend(check_variables({f"headers_env.{h}": v for h, v in secret.items()}, builder))
    found.extend(check_package("httpx", builder))
    _check_headers(headers, secret, builder, found)
    builder.warnings.extend(d for d in found if d.severity != "error")
    found.raise_errors()
    limits = Limits(
        float(settings.get("timeout_s", 60)),
        settings.get("retries", 3),
        settings.get("concurrency", 8),
        settings.get("rate_limit"),
    )
    return EndpointGrader(_Address(settings["url"], headers, secret, limits), interval)


def _check_headers(
    headers: Mapping[str, str], secret: Mapping[str, str], builder: Builder, found: Collector
) -> None:
    for where, names in (("headers", headers), ("headers_env", secret)):
        for name in names:
            if not _HEADER.fullmatch(name):
                found.add(builder.problem("E442", f"`{name}` is no header", f"{where}.{name}"))
    for name, value in headers.items():
        setting = f"headers.{name}"
        if _SECRET_NAMES.search(name):
            message = f"`{name}` is a secret: here it would be in the plan and in the record"
            hint = f"`headers_env: {{{name}: NAME_OF_A_VARIABLE}}`"
            found.add(builder.problem("E448", message, setting, hint=hint))
        elif not value.isascii() or not value.isprintable():
            message = "a header's value is printable ASCII"
            found.add(builder.problem("E442", message, setting))


def _parcel(sample: Sample, item: Item) -> Parcel:
    from rftspec.graders.remote.post import Parcel

    content = {"sample": sample.to_json(), "item": dict(item)}
    said = json.dumps(content, sort_keys=True, separators=(",", ":"))
    trace_id = sha256(said.encode("ascii")).hexdigest()[:32]
    body = json.dumps({**content, "trace_id": trace_id}, separators=(",", ":"))
    return Parcel(trace_id, body.encode("ascii"))
