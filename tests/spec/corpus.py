"""Hostile specs beside the checkout, written out as files: see the corpus's own README."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "hostile_specs.jsonl"
ROWS = {
    "train.jsonl": '{"prompt": "p", "answer": "a"}\n',
    "valid.jsonl": '{"prompt": "q", "answer": "b"}\n',
}


def cases(*kinds: str) -> Iterator[dict[str, Any]]:
    """The cases of some kinds; none where the corpus is missing."""
    if not CORPUS.is_file():
        return
    for line in CORPUS.read_text("utf-8").splitlines():
        case = json.loads(line)
        if case["kind"] in kinds:
            yield case


def raw_text(case: dict[str, Any]) -> bytes:
    """The bytes of a case's text, however it is packed."""
    if case.get("text") is not None:
        return str(case["text"]).encode("utf-8", "surrogatepass")
    if "text_zb64" in case:
        return zlib.decompress(base64.b64decode(case["text_zb64"]))
    return base64.b64decode(case["bytes_b64"])


def write_case(case: dict[str, Any], folder: Path) -> Path:
    """Write a case's spec and files; gives the path of the spec."""
    for name, content in {**ROWS, **case.get("files", {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == "FIFO":
            os.mkfifo(path)
        elif content.startswith("SYMLINK:"):
            path.symlink_to(content.removeprefix("SYMLINK:"))
        else:
            path.write_text(content, "utf-8")
    spec = folder / "spec.yaml"
    spec.write_bytes(raw_text(case))
    return spec
