"""Set-up: the pins fit the ranges, a stamp is honest, and what cannot work is told."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import rules
from tools import set_up

PROJECT = tomllib.loads((rules.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = {
    name.lower().replace("_", "-"): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (rules.ROOT / "constraints.txt").read_text(), flags=re.MULTILINE
    )
}
_EXTRAS = PROJECT["optional-dependencies"]
_OWN = re.compile(r"rftspec\[([\w,-]+)\]")


def _packages(wanted: list[str]) -> Iterator[str]:
    """Requirements, with those of our own extras in the place of `rftspec[a,b]`."""
    for requirement in wanted:
        own = _OWN.fullmatch(requirement)
        if own is None:
            yield requirement
        else:
            for extra in own[1].split(","):
                yield from _packages(_EXTRAS[extra])


WANTED = [*PROJECT["dependencies"], *_packages(_EXTRAS["dev"])]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


@pytest.mark.parametrize("requirement", WANTED)
def test_every_package_is_pinned_within_its_range(requirement: str) -> None:
    """What `make` installs is a version that pyproject allows."""
    name = re.split(r"[<>=]", requirement)[0].strip().lower().replace("_", "-")
    assert name in PINS
    pinned = _release(PINS[name])
    for sign, bound in re.findall(r"(>=|<)\s*([\d.]+)", requirement):
        fits = pinned >= _release(bound) if sign == ">=" else pinned < _release(bound)
        assert fits, f"{name} is pinned at {PINS[name]}, which {requirement} does not allow"


def test_ranges_are_not_pins() -> None:
    """A library leaves room for others."""
    assert not [one for one in PROJECT["dependencies"] if "==" in one]


def test_stamp_is_honest_about_what_it_was_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another torch, another constraint or another folder is another environment."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("a", encoding="utf-8")
    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    first = set_up.fingerprint("")
    assert set_up.fingerprint("torch==1") != first
    (tmp_path / "constraints.txt").write_text("b", encoding="utf-8")
    assert set_up.fingerprint("") != first
    stamp = tmp_path / "stamp"
    assert not set_up.is_current(stamp, first)
    stamp.write_text("other", encoding="utf-8")
    assert not set_up.is_current(stamp, first)


def test_another_torch_takes_the_pin_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU machine; everything else stays pinned."""
    monkeypatch.setattr(set_up, "VENV", tmp_path)
    assert "torch==" in set_up.write_constraints("").read_text(encoding="utf-8")
    other = set_up.write_constraints("torch==2.13.0+cu130").read_text(encoding="utf-8")
    assert "\ntorch==" not in other
    assert "transformers==" in other


def test_python_without_venv_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian ships python3 without it."""
    monkeypatch.setattr(set_up, "VENV", tmp_path / ".venv")
    failed = subprocess.CompletedProcess([], 1, "", "ensurepip is not available")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_settings: failed)
    with pytest.raises(set_up.SetUpError, match=r"apt install python3\.\d+-venv"):
        set_up.make_venv()


def test_make_without_a_fitting_python_says_so() -> None:
    """One message, not a traceback of an old Python."""
    done = subprocess.run(
        ["make", "--no-print-directory", "set-up", "PYTHON=/no/such/python"],
        cwd=rules.ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
