"""Set-up for a newcomer: a virtual environment in .venv with pinned packages, told as it goes.

    python3 tools/set_up.py run     what `make demo` needs
    python3 tools/set_up.py dev     what `make test` needs

A stamp file makes the second call quick. Only the standard library is used, and only PyPI is asked.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = VENV / "set-up.log"
NAMED = re.compile(
    r"^(?:Collecting|Downloading|Building \w+ for|(Installing) collected)\s+([^\s(]+)"
)
HEARTBEAT_S = 15.0


def main() -> int:
    """Bring .venv to the state that was asked for; 0 when it is there."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("what", choices=["run", "dev"])
    parser.add_argument("--torch", default="", help="another requirement for torch than the pin")
    args = parser.parse_args()
    stamp = VENV / f".stamp-{args.what}"
    wanted = fingerprint(args.torch)
    if is_current(stamp, wanted) or (
        args.what == "run" and is_current(VENV / ".stamp-dev", wanted)
    ):
        return 0
    started = time.monotonic()
    say(f"rftspec set-up in {VENV} (Python {sys.version.split()[0]}); a few minutes the first time")
    try:
        make_venv()
        constraints = write_constraints(args.torch)
        install("torch", [args.torch or "torch"], constraints)
        target = ".[dev]" if args.what == "dev" else "."
        install("rftspec and the packages it stands on", ["-e", target], constraints)
    except SetUpError as error:
        say(f"\nset-up failed: {error}")
        return 1
    stamp.write_text(wanted, encoding="utf-8")
    say(f"set-up done in {time.monotonic() - started:.0f} s")
    return 0


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


def fingerprint(torch: str) -> str:
    """What the environment was made from: a change of any of it means another installation."""
    digest = hashlib.sha256(f"{ROOT}\n{torch}\n{sys.version_info[:2]}\n".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_current(stamp: Path, wanted: str) -> bool:
    """True when the stamp names the wanted state and the environment's Python still starts."""
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        return False
    probe = subprocess.run([str(python()), "-c", "import rftspec"], cwd=ROOT, capture_output=True)
    return probe.returncode == 0


def python() -> Path:
    """The environment's own interpreter."""
    return VENV / "bin" / "python"


def make_venv() -> None:
    """Create .venv unless a usable one is there."""
    if python().exists():
        usable = subprocess.run([str(python()), "-m", "pip", "--version"], capture_output=True)
        if usable.returncode == 0:
            return
    say("  1/3  creating the virtual environment")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetUpError(
            "this Python cannot make virtual environments: its venv or ensurepip is missing.\n"
            f"  On Debian and Ubuntu: apt install python{version}-venv\n"
            "  or name another Python: make demo PYTHON=/path/to/python3\n"
            f"  What it said: {(made.stdout + made.stderr).strip()[-300:]}"
        )


def write_constraints(torch: str) -> Path:
    """The constraints for pip: the shipped ones, less torch where another torch was asked for."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if torch:
        lines = [line for line in lines if not line.startswith("torch==")]
    path = VENV / "constraints.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def install(what: str, requirements: list[str], constraints: Path) -> None:
    """One pip run with its progress in short; the whole of it goes to the log."""
    say(f"  {'2/3' if what == 'torch' else '3/3'}  installing {what}")
    command = [str(python()), "-m", "pip", "install", "--disable-pip-version-check"]
    # A relative name: pip reads a constraint's path as a URL-like word, and ROOT may hold spaces.
    command += ["--constraint", os.path.relpath(constraints, ROOT), *requirements]
    started, told = time.monotonic(), time.monotonic()
    with LOG.open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        tail: list[str] = []
        for line in process.stdout or ():
            log.write(line)
            tail = [*tail[-14:], line.rstrip()]
            named = NAMED.match(line.strip())
            if named and time.monotonic() - told >= HEARTBEAT_S:
                told = time.monotonic()
                what_now = "unpacking all of it" if named.group(1) else named.group(2)
                say(f"       {told - started:4.0f} s  {what_now}")
    if process.wait() != 0:
        shown = "\n".join(f"    {line}" for line in tail)
        raise SetUpError(
            f"pip could not install {what}. Its last lines:\n{shown}\n"
            f"  The whole log: {LOG}\n"
            "  If the network is the reason, run the same command again: it goes on where it was."
        )


def say(text: str) -> None:
    """One line to the person, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
