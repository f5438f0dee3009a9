"""What a check of `rftspec doctor` says: how it stands, the facts, and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `ok`, `note` (fine, but worth knowing) or `wrong`, and the fix."""

    name: str
    status: Status
    told: str
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For `rftspec doctor --json`."""
        return {"check": self.name, "status": self.status, "told": self.told, "fix": self.fix}
