"""Where a model's files lie: what `huggingface_hub` finds in its cache, and what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftspec.plan.model_files import files_of, hub_cache

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _cached(cache: Path) -> Path:
    store = cache / "models--some--model"
    folder = store / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (store / "refs").mkdir()
    (store / "refs" / "main").write_text(COMMIT)
    return folder


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_snapshot_is_the_one_that_the_hub_library_finds(
    revision: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import try_to_load_from_cache

    folder = _cached(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    found = try_to_load_from_cache(
        "some/model", "config.json", cache_dir=tmp_path, revision=revision
    )
    assert found == str(folder / "config.json")
    assert files_of("some/model", revision) == folder


def test_what_is_not_in_the_cache_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    _cached(tmp_path)
    assert files_of("some/model", "another-branch") is None
    assert files_of("other/model", None) is None


def test_cache_follows_the_environment_as_the_hub_library_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    script = "from huggingface_hub.constants import HF_HUB_CACHE as c; print(c)"
    for name, value in (
        ("HF_HUB_CACHE", tmp_path / "a"), ("HF_HOME", tmp_path / "b"),
        ("XDG_CACHE_HOME", tmp_path / "c"), ("HOME", tmp_path / "d"),
    ):  # fmt: skip
        with monkeypatch.context() as here:
            for other in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
                here.delenv(other, raising=False)
            here.setenv(name, str(value))
            done = subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=True
            )
            assert str(hub_cache()) == done.stdout.strip()


def test_shipped_and_local_models_are_folders(tmp_path: Path) -> None:
    shipped = files_of("builtin:case-reader", None)
    assert shipped is not None
    assert (shipped / "tokenizer.json").is_file()
    (tmp_path / "mine").mkdir()
    assert files_of("./mine", None, tmp_path) == tmp_path / "mine"
    assert files_of(str(tmp_path / "mine"), None) == tmp_path / "mine"
    assert files_of("./absent", None, tmp_path) is None
