"""Python's regular expressions rewritten for RE2; what RE2 cannot do is refused by name.

RE2 matches in time linear in the text, whatever the pattern, by leaving out what needs
backtracking: look-around, backreferences, atomic groups and possessive quantifiers, conditions.
The rest of Python's syntax is translated here, so that it means what Python says: `\\Z`, `\\uXXXX`,
`\\N{…}`, `{,n}`, `[[`, `\\s`, comments and verbose patterns, and `$` before a last newline where it
ends the pattern. `\\d`, `\\w`, `\\s` and `\\b` know ASCII only, as under `re.ASCII`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

IGNORECASE, MULTILINE, DOTALL, VERBOSE, ASCII = 2, 8, 16, 64, 256
MAX_REPEAT = 1000
_LETTERS = {"i": IGNORECASE, "m": MULTILINE, "s": DOTALL, "x": VERBOSE, "a": ASCII}
_OCTAL = frozenset("01234567")
_SPACES = " \t\n\r\v\f"
_SPACE = r" \t-\r"  # the range stands last, so that `[\s-a]` is an error, as in Python
_NO_SPACE = r"\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{10ffff}"
_EVERYWHERE = {char: f"\\{char}" for char in "dDwWafnrtv"}
_OUTSIDE = _EVERYWHERE | {
    **{char: f"\\{char}" for char in "AbB"},
    **dict.fromkeys("Zz", "\\z"),
    "s": f"[{_SPACE}]",
    "S": f"[^{_SPACE}]",
}
_IN_CLASS = _EVERYWHERE | {"b": "\\x{8}", "s": _SPACE, "S": _NO_SPACE}
_UNICODE_CLASSES = "write `[\\p{L}\\p{N}_]` for Unicode's \\w, `\\p{Nd}` for its \\d"
_REFUSED_GROUPS = (
    ("(?=", "look-ahead `(?=…)`", "match what follows in a group, and read the group you need"),
    ("(?!", "look-ahead `(?!…)`", "match without it, and test what follows in an `if`"),
    ("(?<=", "look-behind `(?<=…)`", "match what stands before, and read a group"),
    ("(?<!", "look-behind `(?<!…)`", "match without it, and test what stands before in an `if`"),
    ("(?P=", "the backreference `(?P=…)`", "capture both parts, and compare them in Python"),
    ("(?>", "the atomic group `(?>…)`", "write `(?:…)`"),
    ("(?(", "the condition `(?(…)…)`", "write two patterns and an `if`"),
)


class PatternError(Exception):
    """A pattern that Python or RE2 does not know (`re.error`)."""

    def __init__(self, msg: str, pattern: str | None = None, pos: int | None = None) -> None:
        super().__init__(msg if pos is None else f"at position {pos}: {msg}")
        self.msg = msg
        self.pattern = pattern
        self.pos = pos


@dataclass(frozen=True, slots=True)
class Translated:
    """A pattern in RE2's syntax."""

    text: str
    before_newline: bool
    """Whether it ends in a `$` that a last newline may follow."""


def translate(pattern: str, flags: int) -> Translated:
    """The pattern in RE2's syntax. Raises PatternError for what has none."""
    return _Translator(without_surrogates(pattern), flags).run()


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which UTF-8 has no place for."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


class _Translator:
    """One pass over the pattern, character by character."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._pattern = pattern
        self._at = 0
        self._flags = flags
        self._stack: list[int] = []
        self._names: set[str] = set()
        self._out: list[str] = []
        self._alternatives = False
        self._repeatable = False
        self._dollar = 0  # how much was put out when the last `$` outside of groups had been

    def run(self) -> Translated:
        """Translate the whole pattern."""
        self._global_flags()
        prefix = "".join(c for c in "ims" if self._flags & _LETTERS[c])
        while self._at < len(self._pattern):
            self._step()
        before_newline = 0 < self._dollar == len(self._out) and not self._alternatives
        body = "".join(self._out[:-1] if before_newline else self._out)
        return Translated(f"(?{prefix}){body}" if prefix else body, before_newline)

    def _step(self) -> None:
        char = self._pattern[self._at]
        if self._flags & VERBOSE and (char in _SPACES or char == "#"):
            self._skip_verbose(char)
        elif char == "\\":
            self._put(self._escape(in_class=False))
        elif char == "[":
            self._put(self._class())
        elif char == "(":
            self._open()
        elif char == ")":
            self._close()
        elif char in "*+?{":
            self._quantifier(char)
        elif char == "$" and not self._flags & MULTILINE:
            self._at += 1
            self._put("\\z", repeatable=False)
            self._dollar = 0 if self._stack else len(self._out)
        else:
            self._at += 1
            self._alternatives |= char == "|" and not self._stack
            self._put(char, repeatable=char not in "|^")

    def _put(self, text: str, *, repeatable: bool = True) -> None:
        self._out.append(text)
        self._repeatable = repeatable

    def _fail(self, message: str, at: int | None = None) -> PatternError:
        return PatternError(message, self._pattern, self._at if at is None else at)

    def _not_in_re2(self, what: str, rewrite: str) -> PatternError:
        return self._fail(f"{what} is not offered: patterns run on RE2; {rewrite}")

    def _skip_verbose(self, char: str) -> None:
        if char == "#":
            end = self._pattern.find("\n", self._at)
            self._at = len(self._pattern) if end < 0 else end
        else:
            self._at += 1

    # groups

    def _open(self) -> None:
        for opening, what, rewrite in _REFUSED_GROUPS:
            if self._pattern.startswith(opening, self._at):
                raise self._not_in_re2(what, rewrite)
        if self._pattern.startswith("(?#", self._at):
            end = self._pattern.find(")", self._at)
            if end < 0:
                raise self._fail("missing ), unterminated comment")
            self._at = end + 1
            return
        flags = self._flags
        if self._pattern.startswith("(?P<", self._at):
            opening = self._named()
        elif self._pattern.startswith("(?", self._at):
            opening = self._scoped_flags()
        else:
            self._at += 1
            opening = "("
        self._stack.append(flags)
        self._put(opening, repeatable=False)

    def _close(self) -> None:
        if not self._stack:
            raise self._fail("unbalanced parenthesis")
        self._flags = self._stack.pop()
        self._at += 1
        self._put(")")

    def _named(self) -> str:
        end = self._pattern.find(">", self._at)
        name = self._pattern[self._at + 4 : end] if end >= 0 else ""
        if not name.isidentifier():
            raise self._fail(f"bad character in group name {name!r}")
        if name in self._names:
            raise self._fail(f"redefinition of group name {name!r}")
        self._names.add(name)
        self._at = end + 1
        return f"(?P<{name}>"

    def _global_flags(self) -> None:
        """`(?i)` and its kin at the start hold for the whole pattern, as in Python."""
        while self._pattern.startswith("(?", self._at):
            end = self._pattern.find(")", self._at)
            letters = self._pattern[self._at + 2 : end]
            if end < 0 or not letters or not letters.isalpha():
                return
            self._flags |= self._flag_bits(letters)
            self._at = end + 1

    def _scoped_flags(self) -> str:
        """`(?i-s:` opens a group; a global flag that does not stand first is an error."""
        start, end = self._at + 2, self._at + 2
        while self._pattern[end : end + 1].isalpha() or self._pattern[end : end + 1] == "-":
            end += 1
        letters = self._pattern[start:end]
        closing = self._pattern[end : end + 1]
        if closing == ")" and letters:
            raise self._fail("global flags not at the start of the expression")
        if closing != ":":
            raise self._fail(f"unknown extension {self._pattern[self._at + 1 : end + 1]!r}")
        on, _, off = letters.partition("-")
        self._flags |= self._flag_bits(on)
        self._flags &= ~self._flag_bits(off)
        self._at = end + 1
        kept_on = "".join(c for c in on if c in "ims")
        kept_off = "".join(c for c in off if c in "ims")
        return f"(?{kept_on}{'-' + kept_off if kept_off else ''}:"

    def _flag_bits(self, letters: str) -> int:
        bits = 0
        for letter in letters:
            if letter == "u":
                raise self._not_in_re2("the flag `u`", _UNICODE_CLASSES)
            if letter not in _LETTERS:
                raise self._fail(f"unknown flag {letter!r}")
            bits |= _LETTERS[letter]
        return bits

    # quantifiers

    def _quantifier(self, char: str) -> None:
        text, length = char, 1
        if char == "{":
            found = self._braces()
            if found is None:
                self._at += 1
                self._put("\\{")
                return
            text, length = found
        if not self._repeatable:
            raise self._fail("nothing to repeat" if self._is_start() else "multiple repeat")
        self._at += length
        following = self._pattern[self._at : self._at + 1]
        if following == "+":
            raise self._not_in_re2(
                f"the possessive quantifier `{text}+`", "drop the `+`: RE2 never backtracks"
            )
        if following == "?":
            self._at += 1
            text += "?"
        self._put(text, repeatable=False)

    def _is_start(self) -> bool:
        return not self._out or self._out[-1].endswith(("(", ":", ">", "|", "^"))

    def _braces(self) -> tuple[str, int] | None:
        """`{m}`, `{m,n}`, `{m,}` or `{,n}` as RE2 writes it, with its length; None for text."""
        end = self._pattern.find("}", self._at)
        inside = self._pattern[self._at + 1 : end] if end >= 0 else ""
        low, comma, high = inside.partition(",")
        if not (low or high) or not all(p.isdecimal() and p.isascii() for p in (low, high) if p):
            return None
        if any(len(p) > 9 or int(p) > MAX_REPEAT for p in (low, high) if p):
            raise self._not_in_re2(
                f"a repeat over {MAX_REPEAT}", "match with `*`, and test the length with len()"
            )
        text = f"{{{low or '0'},{high}}}" if comma else f"{{{low}}}"
        return text, len(inside) + 2

    # escapes and classes

    def _escape(self, *, in_class: bool) -> str:
        start = self._at
        char = self._pattern[start + 1 : start + 2]
        self._at += 2
        if not char:
            raise self._fail("bad escape (end of pattern)", start)
        if char.isdigit() and char.isascii():
            return self._number(start, in_class=in_class)
        if char in "xuUN":
            return _literal(self._code_point(start, char))
        if char in "pP":
            return self._property(start)
        known = (_IN_CLASS if in_class else _OUTSIDE).get(char)
        if known is None and char.isascii() and char.isalpha():
            raise self._fail(f"bad escape \\{char}", start)
        return known or _literal(char)

    def _number(self, start: int, *, in_class: bool) -> str:
        digits = self._pattern[start + 1 : start + 4]
        length = 1
        while length < len(digits) and digits[length] in _OCTAL:
            length += 1
        octal = digits[:length]
        if octal[0] == "0" or len(octal) == 3 or in_class:
            if not set(octal) <= _OCTAL:
                raise self._fail(f"bad escape \\{octal}", start)
            if int(octal, 8) > 0o377:
                raise self._fail(f"octal escape value \\{octal} outside of range 0-0o377", start)
            self._at = start + 1 + len(octal)
            return f"\\x{{{int(octal, 8):x}}}"
        self._at = start
        what = f"the backreference `\\{digits[:1]}`"
        raise self._not_in_re2(what, "capture both parts, and compare them in Python")

    def _code_point(self, start: int, char: str) -> str:
        if char == "N":
            end = self._pattern.find("}", start)
            try:
                found = unicodedata.lookup(self._pattern[start + 3 : end])
            except KeyError:
                raise self._fail("undefined character name", start) from None
            self._at = end + 1
            return found
        length = {"x": 2, "u": 4, "U": 8}[char]
        digits = self._pattern[self._at : self._at + length]
        if len(digits) < length or not all(d in "0123456789abcdefABCDEF" for d in digits):
            raise self._fail(f"incomplete escape \\{char}{digits}", start)
        self._at += length
        value = int(digits, 16)
        if value > 0x10FFFF:
            raise self._fail(f"bad escape \\{char}{digits}", start)
        return chr(value)

    def _property(self, start: int) -> str:
        """RE2's `\\p{Lu}`, which Python's own module lacks."""
        if self._pattern[self._at : self._at + 1] != "{":
            raise self._fail("write a property as \\p{…}", start)
        end = self._pattern.find("}", self._at)
        name = self._pattern[self._at + 1 : end]
        if end < 0 or not name.replace("_", "").isalnum():
            raise self._fail("unterminated property", start)
        text = self._pattern[start : end + 1]
        self._at = end + 1
        return text

    def _class(self) -> str:
        start = self._at
        self._at += 1
        out = ["["]
        if self._pattern.startswith("^", self._at):
            out.append("^")
            self._at += 1
        first = self._at
        while True:
            char = self._pattern[self._at : self._at + 1]
            if not char:
                raise self._fail("unterminated character set", start)
            if char == "]" and self._at > first:
                self._at += 1
                return "".join([*out, "]"])
            if char == "\\":
                out.append(self._escape(in_class=True))
            else:
                self._at += 1
                out.append(f"\\{char}" if char in "[]^" else _literal(char, in_class=True))


def _literal(char: str, *, in_class: bool = False) -> str:
    """One character that stands for itself."""
    if in_class or char.isalnum() or not char.isascii():
        return char
    return f"\\{char}" if char.isprintable() and char != " " else f"\\x{{{ord(char):x}}}"
