"""The job on real, published case reports, measured: the table of docs/phenopackets.md.

    .venv/bin/python bench/phenopackets.py all_phenopackets.zip

Imports the archive, runs specs/phenopackets.yaml on what came of it with three seeds, prints the
table and writes it into docs/phenopackets.md and bench/results/phenopackets.json. The rows are not
shipped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import demo  # noqa: E402 - needs the path above
import table  # noqa: E402

SPEC = ROOT / "specs" / "phenopackets.yaml"


def main() -> None:
    """Import, run, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "bench-phenopackets")
    asked = parser.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True)
    data = asked.folder.resolve() / "data"
    command = [
        sys.executable,
        "-m",
        "rftspec",
        "data",
        "phenopackets",
        str(asked.archive.resolve()),
    ]
    command += ["--genes", "builtin", "--out", str(data)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    options = []
    for split in ("train", "validation", "test"):
        options += ["--set", f"data.{split}={data / split}.jsonl"]
    lines = [
        demo.measure(f"seed {seed}", asked.folder, [*options, "--seed", str(seed)], spec=SPEC)
        for seed in range(asked.seeds)
    ]
    said = said.replace(str(data), "DIR")
    parts = [f"```\n{said.strip()}\n```", table.text(lines, "python bench/phenopackets.py ARCHIVE")]
    print("\n\n".join(parts))
    out = ROOT / "bench" / "results" / "phenopackets.json"
    out.write_text(json.dumps({"import": said, "lines": lines}, indent=1) + "\n")
    table.between_marks(ROOT / "docs" / "phenopackets.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
