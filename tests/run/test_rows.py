"""The order of training rows is a function of the seed; the control deals answers out anew."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftspec.run.rows import Row, clusters, epoch_order, shuffle_answers, step_rows, subset


def rows_with(values):
    return [
        Row("train", i, {"id": i, "messages": [f"m{i}"], "gene": v, "note": i}, [f"m{i}"])
        for i, v in enumerate(values)
    ]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 9))
def test_every_row_is_drawn_once_an_epoch(rows, per_step, seed):
    steps = -(-3 * rows // per_step)
    drawn = [p for s in range(1, steps + 1) for p in step_rows(s, rows, per_step, seed=seed)]
    for epoch in range(3):
        assert sorted(drawn[epoch * rows : (epoch + 1) * rows]) == list(range(rows))


def test_the_order_is_pinned():
    assert epoch_order(8, seed=0, epoch=0) == [4, 2, 6, 5, 3, 0, 7, 1]


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(epoch_order(30, seed=s, epoch=e)) for s in range(3) for e in range(3)}
    assert len(orders) == 9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(0, 99))
def test_shuffled_answers_are_the_same_answers_and_nobodys_own(values, seed):
    rows = rows_with(values)
    dealt = shuffle_answers(rows, seed=seed, field="item.gene")
    assert Counter(r.item["gene"] for r in dealt) == Counter(values)
    assert [r.item["messages"] for r in dealt] == [r.item["messages"] for r in rows]
    assert [r.item["id"] for r in dealt] == [r.item["id"] for r in rows]
    assert all(d.item["note"] != r.index for d, r in zip(dealt, rows, strict=True))
    if max(Counter(values).values()) * 2 <= len(values):
        own = sum(d.item["gene"] == v for d, v in zip(dealt, values, strict=True))
        assert own <= max(1, len(values) // 10)


def test_fields_of_a_row_stay_together_when_answers_are_shuffled():
    rows = rows_with("abcdef")
    for row in shuffle_answers(rows, seed=1, field=None):
        assert row.item["gene"] == "abcdef"[row.item["note"]]


@pytest.mark.parametrize("seed", range(5))
def test_no_row_of_the_worlds_size_keeps_its_answer(seed):
    values = [f"gene{i % 60}" for i in range(1100)]
    dealt = shuffle_answers(rows_with(values), seed=seed, field="item.gene")
    assert all(d.item["gene"] != v for d, v in zip(dealt, values, strict=True))


def test_a_subset_is_seeded_and_keeps_the_order():
    rows = rows_with(range(50))
    picked = subset(rows, 10, seed=2)
    assert picked == subset(rows, 10, seed=2) != subset(rows, 10, seed=3)
    assert [r.index for r in picked] == sorted(r.index for r in picked)
    assert subset(rows, 99, seed=2) == rows


def test_clusters_are_the_first_disjoint_field_or_the_row():
    rows = rows_with(["x", "x", None])
    assert clusters(rows, ("item.gene",)) == ['"x"', '"x"', "row 2"]
    assert clusters(rows, ()) == ["row 0", "row 1", "row 2"]
