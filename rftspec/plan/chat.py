"""A prompt as the model will see it: the chat template and the tokenizer, without transformers.

The template runs in jinja2's immutable sandbox, with the filters and functions that transformers
gives it; the text goes through `tokenizers`. A test holds both equal to `apply_chat_template`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
)
_NAMED = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


class NoTokenizer(Exception):
    """The model's tokenizer or its chat template is not at hand; the text says why."""


class TemplateRefused(Exception):
    """The chat template cannot make a prompt of these messages; the text is the template's."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a prompt."""

    id: int
    text: str
    """The characters that it stands for; "" where it ends inside a character."""
    special: bool


class ChatTokenizer:
    """A model's tokenizer with its chat template."""

    def __init__(self, folder: Path) -> None:
        """Raises NoTokenizer. Files are read here; the tokenizer is built when it is needed."""
        self._files = {name: _read(folder / name) for name in _FILES}
        if self._files["tokenizer.json"] is None:
            raise NoTokenizer("its folder has no tokenizer.json")
        self._config = {**self._json("special_tokens_map.json"), **_set(self._config_file())}
        self._template_text = self._find_template(folder)
        self._tokenizer: Any = None
        self._template: Any = None

    @property
    def fingerprint(self) -> str:
        """A hash of all files that decide a prompt's tokens."""
        digest = hashlib.sha256(self._template_text.encode())
        for name in _FILES:
            digest.update(hashlib.sha256(self._files[name] or b"").digest())
        return digest.hexdigest()

    @property
    def tells_time(self) -> bool:
        """The template writes today's date, so that tomorrow's prompts may differ."""
        return "strftime_now" in self._template_text

    def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The text of a prompt, with the opening of the answer. Raises TemplateRefused."""
        if self._template is None:
            self._template = _compile(self._template_text)
        # roles and contents are what the engine gives the template
        given = [{"role": m["role"], "content": m["content"]} for m in messages]
        plain = [{k: v for k, v in message.items() if v is not None} for message in given]
        try:
            text: str = self._template.render(
                messages=plain, add_generation_prompt=True, tools=None, documents=None,
                **self._special_tokens(),
            )  # fmt: skip
        except Exception as error:
            words = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise TemplateRefused(words[:300]) from error
        return text

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has; special tokens in it count as one."""
        tokenizer = self._open()
        fast = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
        return [len(encoded) for encoded in fast(list(texts), add_special_tokens=False)]

    def encode(self, text: str) -> list[Token]:
        """The tokens of a text, with the characters that each stands for."""
        tokenizer = self._open()
        encoded = tokenizer.encode(text, add_special_tokens=False)
        special = {
            i for i, token in self._open().get_added_tokens_decoder().items() if token.special
        }
        tokens, reached = [], 0
        for number, (start, end) in zip(encoded.ids, encoded.offsets, strict=True):
            # a character of several tokens is shown at the first of them
            shown = text[max(start, reached) : end]
            reached = max(reached, end)
            tokens.append(Token(number, shown, number in special))
        return tokens

    def _open(self) -> Any:
        if self._tokenizer is None:
            from tokenizers import AddedToken, Tokenizer

            try:
                found = Tokenizer.from_buffer(self._files["tokenizer.json"] or b"")
            except Exception as error:
                raise NoTokenizer(f"its tokenizer.json cannot be read ({error})") from error
            found.no_truncation()
            found.no_padding()
            known = {token.content for token in found.get_added_tokens_decoder().values()}
            for number, token in sorted(self._added().items()):
                if token["content"] not in known and found.id_to_token(number) is None:
                    found.add_tokens([AddedToken(**token)])
            for content in self._special_tokens().values():
                if found.token_to_id(content) is None:
                    found.add_special_tokens([AddedToken(content, special=True)])
            self._tokenizer = found
        return self._tokenizer

    def _added(self) -> dict[int, dict[str, Any]]:
        """Tokens that only tokenizer_config.json names."""
        found = self._config.get("added_tokens_decoder")
        if not isinstance(found, Mapping):
            return {}
        names = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
        return {
            int(number): {name: token[name] for name in names if name in token}
            for number, token in found.items()
            if isinstance(token, Mapping) and isinstance(token.get("content"), str)
        }

    def _special_tokens(self) -> dict[str, str]:
        """`bos_token` and its like, by name."""
        found = {}
        for name in _NAMED:
            token = self._config.get(f"{name}_token")
            token = token.get("content") if isinstance(token, Mapping) else token
            if isinstance(token, str):
                found[f"{name}_token"] = token
        return found

    def _find_template(self, folder: Path) -> str:
        """The template, where transformers looks for it, in its order."""
        own = self._files["chat_template.jinja"]
        if own is not None:
            return own.decode("utf-8", "replace")
        found = self._json("chat_template.json").get("chat_template")
        found = found or self._config.get("chat_template")
        if isinstance(found, list):
            named = {one.get("name"): one.get("template") for one in found}
            found = named.get("default")
        if not isinstance(found, str):
            raise NoTokenizer("it has no chat template")
        return found

    def _config_file(self) -> dict[str, Any]:
        return self._json("tokenizer_config.json")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(self._files[name] or b"{}")
        except ValueError as error:
            raise NoTokenizer(f"its {name} is no JSON ({error})") from error
        return found if isinstance(found, dict) else {}


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _compile(text: str) -> Any:
    """A template with what transformers gives to templates. Raises TemplateRefused."""
    from datetime import datetime

    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks the assistant's part for training: here it is only text."""

        tags = {"generation"}  # noqa: RUF012 - as jinja2 wants it

        def parse(self, parser: Any) -> Any:
            """The block's body as it stands."""
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    def refuse(message: str) -> NoReturn:
        raise TemplateError(message)

    def as_json(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        # jinja2's own escapes HTML
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
            sort_keys=sort_keys,
        )  # fmt: skip

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = as_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return environment.from_string(text)
    except TemplateError as error:
        raise TemplateRefused(f"the template is malformed: {error}") from error
