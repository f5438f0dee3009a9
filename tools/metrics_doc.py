"""Write docs/metrics.md from the declarations in rftspec/record/metrics.py."""

from __future__ import annotations

from pathlib import Path

from rftspec.record.metrics import markdown

TARGET = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"

if __name__ == "__main__":
    TARGET.write_text(markdown(), encoding="utf-8")
    print(f"written: {TARGET}")
