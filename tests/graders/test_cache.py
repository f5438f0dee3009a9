"""The cache of replies: what is reused, what is not, and that it never fails a run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rftspec.graders.remote import cache as cache_module
from rftspec.graders.remote.cache import FILE, ReplyCache, key_of
from rftspec.graders.score import Sample
from rftspec.graders.services import Services
from tests.graders.fake_server import FakeServer, Seen, chat, error, serving, verdict
from tests.graders.judges import INPUT, ROW, label_model, opened, score, score_model, scores


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(lambda seen: verdict(seen.number / 100)) as running:
        yield running


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(cache=tmp_path / "cache")


def judged(url: str, **changes: Any) -> dict[str, Any]:
    return score_model(url, **{"cache": True, "retries": 0, **changes})


def test_same_question_is_asked_once_in_any_number_of_runs(
    server: FakeServer, services: Services
) -> None:
    texts = ["a", "b", "a"]
    first = scores(judged(server.url), texts, services)
    with opened(judged(server.url), services) as (made, grader):
        second = [g.scores["g"] for g in made.grade([Sample(t) for t in texts], [ROW] * 3)]
        assert grader.usage()["calls"] == 0
        assert grader.usage()["cached"] == 3
    assert first == second
    assert first[0].value == first[2].value
    assert len(server.seen) == 2


def test_cached_verdicts_need_no_server(server: FakeServer, services: Services) -> None:
    known = score(judged(server.url), services=services)
    server.script = lambda seen: error(500)
    assert score(judged(server.url), services=services) == known


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "another"},
        {"range": [0, 2]},
        {"sampling_params": {"temperature": 0.5}},
        {"sampling_params": {"seed": 2}},
        {"sampling_params": {"max_completion_tokens": 7}},
        {"input": [*INPUT, {"role": "user", "content": "More."}]},
        {"input": [{**INPUT[0], "role": "developer"}, INPUT[1]]},
        {"answer_format": "text"},
    ],
)
def test_everything_that_matters_is_part_of_the_key(
    server: FakeServer, services: Services, changes: dict[str, Any]
) -> None:
    score(judged(server.url), services=services)
    score(judged(server.url, **changes), services=services)
    assert len(server.seen) == 2


def test_kind_labels_and_address_are_part_of_the_key(services: Services) -> None:
    with serving(lambda s: verdict("good")) as one, serving(lambda s: verdict("bad")) as two:
        for settings in (
            label_model(one.url, cache=True),
            label_model(one.url, cache=True, passing_labels=["good", "bad"]),
            label_model(one.url, cache=True, labels=["good", "bad"]),
        ):
            assert score(settings, services=services).value == 1.0
        assert score(label_model(two.url, cache=True), services=services).value == 0.0
        assert (len(one.seen), len(two.seen)) == (3, 1)


@pytest.mark.parametrize(
    "failing",
    [error(500), error(400), chat("junk"), chat(None, refusal="no"), verdict("x"),
     chat('{"result": 1}', finish_reason="length")],
)  # fmt: skip
def test_only_verdicts_are_kept(services: Services, failing: Any) -> None:
    with serving(lambda seen: failing) as server:
        settings = judged(server.url, answer_format="json_schema")
        assert score(settings, services=services).value is None
        assert services.cache is not None
        with closing(sqlite3.connect(services.cache / FILE)) as connection:
            assert connection.execute("SELECT count(*) FROM replies").fetchone() == (0,)
        server.script = lambda seen: verdict(1)
        assert score(settings, services=services).value == 1.0


def test_cache_false_asks_every_time(server: FakeServer, services: Services) -> None:
    scores(judged(server.url, cache=False), ["a", "a"], services)
    assert len(server.seen) == 2
    assert services.cache is not None
    assert not services.cache.exists()


def test_neither_prompts_nor_keys_are_kept(
    monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    monkeypatch.setenv("MY_JUDGE_KEY", "hush-hush")

    def script(seen: Seen) -> Any:
        return chat('{"result": 1, "steps": [{"conclusion": "hush-hush"}]}')

    with serving(script) as server:
        settings = judged(server.url, api_key_env="MY_JUDGE_KEY")
        assert score(settings, "the-answer-itself", services=services).value == 1.0
        assert score(settings, "the-answer-itself", services=services).value == 1.0
        assert len(server.seen) == 1
    assert services.cache is not None
    kept = b"".join(path.read_bytes() for path in services.cache.iterdir())
    assert b"conclusion" in kept
    assert b"hush" not in kept
    assert b"the-answer-itself" not in kept


def test_tampered_reply_cannot_pay_more_than_the_range(
    server: FakeServer, services: Services
) -> None:
    score(judged(server.url), services=services)
    assert services.cache is not None
    file = services.cache / FILE
    for planted, value in (
        ('{"result": 99}', 1.0),
        ("junk", 0.01),
        ("", 0.02),
        (b"\xff\xfe", 0.03),
    ):
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE replies SET reply = ?", (planted,))
        connection.close()
        assert score(judged(server.url), services=services).value == value


@pytest.mark.parametrize("damage", ["garbage", "folder", "file", "other table", "half"])
def test_cache_that_does_not_work_is_said_once_and_fails_nothing(
    server: FakeServer, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    if damage == "file":
        folder.write_text("in the way")
    else:
        folder.mkdir()
    if damage == "garbage":
        (folder / FILE).write_bytes(b"not a database, but long enough to be read as one" * 200)
    if damage == "folder":
        (folder / FILE).mkdir()
    if damage == "other table":
        with sqlite3.connect(folder / FILE) as connection:
            connection.execute("CREATE TABLE replies (x)")
        connection.close()
    if damage == "half":
        full = ReplyCache(folder)
        for number in range(500):
            full.put(str(number), "x" * 500)
        full.close()
        whole = (folder / FILE).read_bytes()
        (folder / FILE).write_bytes(b"\0" * 5000 + whole[5000 : len(whole) // 2])
    services = Services(cache=folder)
    for number in range(3):
        assert score(judged(server.url), services=services).value == number / 100
    assert len([r for r in caplog.records if r.name == "rftspec.cache"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_fails_nothing(server: FakeServer, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        services = Services(cache=tmp_path / "cache")
        assert score(judged(server.url), services=services).value == 0.0
    finally:
        tmp_path.chmod(0o700)


def test_full_cache_forgets_the_older_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES", 400_000)
    cache = ReplyCache(tmp_path)
    for number in range(1000):
        cache.put(str(number), "x" * 2000)
    assert cache.usable
    assert cache.get("999") is not None
    assert cache.get("0") is None
    assert (tmp_path / FILE).stat().st_size <= 400_000
    cache.close()


def test_full_disk_gives_the_cache_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = ReplyCache(tmp_path)
    cache.put("a", "kept")

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(cache_module, "_insert", full)
    cache.put("b", "lost")
    assert not cache.usable
    assert cache.get("a") is None
    assert "is full" in caplog.text


def test_entries_are_bounded_and_the_oldest_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 10)
    first = ReplyCache(tmp_path)
    for number in range(25):
        first.put(str(number), "x")
    first.close()
    second = ReplyCache(tmp_path)
    kept = [number for number in range(25) if second.get(str(number)) is not None]
    second.close()
    assert kept == list(range(15, 25))


def test_threads_share_a_cache(tmp_path: Path) -> None:
    caches = [ReplyCache(tmp_path) for _ in range(2)]

    def work(part: int) -> None:
        for number in range(50 * part, 50 * part + 50):
            caches[part % 2].put(str(number), str(number))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(cache.usable for cache in caches)
    assert all(caches[0].get(str(number)) == str(number) for number in range(200))
    for cache in caches:
        cache.close()


def test_processes_share_a_cache(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from rftspec.graders.remote.cache import ReplyCache\n"
        "cache = ReplyCache(Path(sys.argv[1]))\n"
        "for n in range(100): cache.put(f'{sys.argv[2]}-{n}', 'x'); cache.get(f'0-{n}')\n"
        "assert cache.usable; cache.close()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(i)]) for i in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    cache = ReplyCache(tmp_path)
    assert all(cache.get(f"{i}-{n}") == "x" for i in range(3) for n in range(100))
    cache.close()


def test_key_is_a_function_of_content_alone() -> None:
    assert key_of(a=1, b={"x": [1, "é"]}) == key_of(b={"x": [1, "é"]}, a=1)
    assert key_of(a=1) != key_of(a=2)
    assert key_of(messages=[("user", "a"), ("user", "b")]) != key_of(messages=[("user", "a\nb")])
