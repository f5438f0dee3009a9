"""The ledger: every key of a foreign file, what became of it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rftspec.diagnostics import Diagnostic, DiagnosticError, Severity
from rftspec.spec.document import Document, Node
from rftspec.spec.importing.secrets import Mask
from rftspec.spec.suggest import nearest

Fate = Literal["mapped", "changed", "no counterpart", "refused", "unknown"]
Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the file: where it stands, what became of it, and a note."""

    source: str
    """Its dotted path; empty for the whole file."""
    line: int
    fate: Fate
    target: str | None
    """The field of the spec that it became."""
    note: str

    def to_json(self) -> dict[str, Any]:
        """The entry as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Given:
    """A value of the file with its path."""

    node: Node
    path: Path_

    @property
    def value(self) -> Any:
        """The value as plain JSON."""
        return self.node.json()

    @property
    def text(self) -> str:
        """The value where it is text, else nothing."""
        return self.node.value if isinstance(self.node.value, str) else ""

    @property
    def name(self) -> str:
        """Its last key."""
        return self.path[-1] if self.path else "the file"

    def get(self, key: str) -> Given | None:
        """The value below a key; None where there is none."""
        if self.node.kind != "mapping" or key not in self.node.value:
            return None
        return Given(self.node.value[key], (*self.path, key))

    def at(self, key: str) -> Given:
        """The value below a key that is known to be there."""
        return Given(self.node.value[key], (*self.path, key))

    def entries(self) -> Iterator[Given]:
        """The values of a mapping, or of a list by their index."""
        if self.node.kind == "mapping":
            for key in self.node.value:
                yield self.at(key)
        elif self.node.kind == "sequence":
            for index, node in enumerate(self.node.value):
                yield Given(node, (*self.path, str(index)))

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return self.node.kind == "mapping"

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return self.node.kind == "sequence"


@dataclass(slots=True)
class Ledger:
    """What became of the keys so far, and what is to be said."""

    document: Document
    root: Given
    mask: Mask
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _entered: list[tuple[tuple[int, int], Entry]] = field(default_factory=list)
    _settled: set[Path_] = field(default_factory=set)

    @classmethod
    def of(cls, document: Document) -> Ledger:
        """An empty ledger for a document that has a root."""
        assert document.root is not None
        return cls(document, Given(document.root, ()), Mask(document.root))

    def mapped(self, given: Given, target: str, note: str = "") -> None:
        """The key became a field of the spec."""
        self._enter(given, "mapped", target, note)

    def changed(self, given: Given, target: str, note: str, hint: str | None = None) -> None:
        """The key was repaired or moved; said as a warning."""
        self._enter(given, "changed", target, note)
        self.say("W706", given, note, hint)

    def moved(self, given: Given, target: str, variable: str) -> None:
        """A secret was left out: a variable of the environment is to hold it."""
        note = f"its value was left out: the environment variable `{variable}` is to hold it"
        self._enter(given, "changed", target, note)
        hint = f"export {variable}=… in the shell that starts the run"
        self.say("W707", given, f"`{given.name}` may be a secret: {note}", hint)

    def without(self, given: Given, why: str, *, warn: bool = False) -> None:
        """The key has no counterpart."""
        self._enter(given, "no counterpart", None, why)
        if warn:
            self.say("W704", given, f"`{given.name}` has no counterpart: {why}")

    def refused(self, given: Given, message: str, hint: str | None = None) -> None:
        """The key cannot be imported; said as an error."""
        self._enter(given, "refused", None, message if hint is None else f"{message}; {hint}")
        self.say("E703", given, message, hint)

    def dropped(self, given: Given, why: str) -> None:
        """A value that was left out as a whole, because of what was said of a part of it."""
        self._enter(given, "refused", None, why)

    def say(self, code: str, given: Given, message: str, hint: str | None = None) -> None:
        """A diagnostic at a value; E… is an error, W… a warning."""
        severity: Severity = "warning" if code.startswith("W") else "error"
        path = ".".join(given.path) or None
        one = given.node.problem(code, message, hint=hint, path=path, severity=severity)
        self.diagnostics.append(self.mask.diagnostic(one))

    def rejection(self, given: Given, message: str, hint: str) -> DiagnosticError:
        """What is raised where the whole file is something else."""
        one = given.node.problem("E702", message, hint=hint, path=".".join(given.path) or None)
        return DiagnosticError([self.mask.diagnostic(one)])

    def settle(self, given: Given) -> None:
        """Count a value as told by what was said of another."""
        self._settled.add(given.path)

    def is_told(self, given: Given) -> bool:
        """Whether something was said of this very key."""
        return given.path in self._settled

    def close(self, known: Iterable[str]) -> None:
        """Tell every key that nobody has looked at; `known` are names that may have been meant."""
        names = sorted(set(known))
        for given in self._untold(self.root):
            near = nearest(given.name, [name for name in names if name != given.name])
            hint = f"did you mean `{near}`?" if near else "it was left out"
            message = f"`{given.name}` is not known here, and was left out"
            self._enter(given, "unknown", None, hint)
            self.say("W704", given, message, hint if near else None)
        self._entered.sort(key=lambda pair: pair[0])
        self.diagnostics.sort(key=lambda d: d.span.line if d.span else 0)

    @property
    def entries(self) -> list[Entry]:
        """What was entered; once the ledger is closed, in the order of the file."""
        return [entry for _, entry in self._entered]

    @property
    def has_errors(self) -> bool:
        """Whether anything was refused."""
        return any(one.severity == "error" for one in self.diagnostics)

    def _enter(self, given: Given, fate: Fate, target: str | None, note: str) -> None:
        self._settled.add(given.path)
        line = given.node.start[0]
        source = self.mask.text(".".join(given.path))
        entry = Entry(source, line, fate, target, self.mask.text(note))
        self._entered.append((given.node.start, entry))

    def _untold(self, given: Given) -> Iterator[Given]:
        """The highest values below which nothing was settled."""
        if given.path in self._settled:
            return
        below = [path for path in self._settled if path[: len(given.path)] == given.path]
        if not below and given.path:
            yield given
            return
        for child in given.entries():
            yield from self._untold(child)
