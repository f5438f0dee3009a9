"""An installed rftspec finds its grammar, specs and model: wheel, sdist, editable, plain checkout.

What is built is put into an empty folder of its own with `--no-deps`; the packages that it stands
on are lent by this environment, so that nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_BEHIND = shutil.ignore_patterns(
    ".venv", ".git", "runs", "__pycache__", ".*_cache", ".hypothesis", "dist", "build"
)
PROBE = """
import sys
import rftspec
from rftspec.resources import resource
print(rftspec.__file__)
for parts in (("grammars", "score.lark"), ("specs", "rare_disease.yaml"),
              ("specs", "data", "rare_disease", "test.jsonl"),
              ("models", "case-reader", "model.safetensors"),
              ("models", "case-reader", "config.json"),
              ("models", "toy", "model.safetensors"),
              ("specs", "templates", "math", "spec.yaml")):
    path = resource(*parts)
    assert path.is_file() and path.stat().st_size > 100, path
    print(path)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    source = tmp_path_factory.mktemp("source") / "a checkout"
    shutil.copytree(ROOT, source, ignore=LEFT_BEHIND)
    out = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out


def _site(folder: Path, artefact: Path) -> Path:
    """The artefact alone, installed into an empty folder whose path has a space."""
    site = folder / "an empty site"
    command = [
        sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation",
        "--disable-pip-version-check", "--target", str(site), str(artefact),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return site


def _run(site: Path, elsewhere: Path, *arguments: str) -> str:
    """Run Python with that site first on its path, from another folder, away from this checkout."""
    elsewhere.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "HOME": str(elsewhere), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def _check(site: Path, elsewhere: Path) -> None:
    found = _run(site, elsewhere, "-c", PROBE).splitlines()
    assert all(Path(line).is_relative_to(site) for line in found), found
    spec = str(Path(found[2]))
    assert "is fine" in _run(site, elsewhere, "-m", "rftspec", "validate", spec)
    assert "Nothing was run" in _run(site, elsewhere, "-m", "rftspec", "plan", spec)


def test_wheel_finds_what_it_ships(built: Path, tmp_path: Path) -> None:
    """Installed into an empty folder and run from another."""
    _check(_site(tmp_path, next(built.glob("*.whl"))), tmp_path / "elsewhere")


def test_sdist_finds_what_it_ships(built: Path, tmp_path: Path) -> None:
    """Built and installed from the source archive."""
    _check(_site(tmp_path, next(built.glob("*.tar.gz"))), tmp_path / "elsewhere")


def test_plain_checkout_finds_what_it_ships(built: Path, tmp_path: Path) -> None:
    """An unpacked source archive, used where it lies."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and newer
            archive.extractall(tmp_path, filter="data")
        else:
            archive.extractall(tmp_path)
    checkout = next(path for path in tmp_path.iterdir() if path.name.startswith("rftspec-"))
    _check(checkout, tmp_path / "elsewhere")


def test_editable_install_finds_what_it_ships() -> None:
    """This checkout, as `make` installs it."""
    from rftspec.resources import resource

    assert resource("grammars", "score.lark").is_relative_to(ROOT)
    assert resource("models", "case-reader", "model.safetensors").is_relative_to(ROOT)


def test_wheel_holds_what_is_shipped_and_nothing_else(built: Path) -> None:
    """No tests, no tools, no caches; a licence; everything below one package."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"rftspec", next(top for top in tops if top.endswith(".dist-info"))}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "rftspec/py.typed" in names


def test_missing_shipped_file_is_told_with_both_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation says where it looked."""
    from rftspec.resources import resource

    with pytest.raises(FileNotFoundError, match="install rftspec again"):
        resource("grammars", "no.lark")
