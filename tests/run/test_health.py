"""Health rules fire on traces made to trip them, once, and stay silent on healthy ones."""

from dataclasses import replace

import pytest

from rftspec.run.health import CODES, findings
from rftspec.run.history import History
from tests.run.runs import small_plan

HEALTHY = {
    "train_reward_mean": 0.4,
    "groups_no_signal_share": 0.3,
    "groups_all_wrong_share": 0.2,
    "groups_all_right_share": 0.1,
    "truncated_share": 0.0,
    "train_error_share": 0.0,
    "completion_tokens_mean": 40.0,
    "metrics/exact/train_mean": 0.3,
}


@pytest.fixture
def plan(tmp_path):
    return small_plan(tmp_path)


def fired(plan, trace):
    """(code, step) of every finding as the trace goes by."""
    history, found = History(), []
    for number, changes in enumerate(trace, start=1):
        history.take("step", {"step": number, "metrics": {**HEALTHY, **changes}})
        for event in findings(history, plan):
            history.take_event(event)
            found.append((event.fields["code"], number, event.fields["message"]))
    return found


def test_a_healthy_run_is_left_in_peace(plan):
    rising = [{"train_reward_mean": 0.3 + n / 100} for n in range(40)]
    assert fired(plan, rising) == []


@pytest.mark.parametrize(
    ("share", "word"),
    [("groups_all_wrong_share", "all wrong"), ("groups_all_right_share", "all right")],
)
def test_h1_ten_steps_without_signal(plan, share, word):
    flat = {"groups_no_signal_share": 1.0, "groups_all_wrong_share": 0.0, share: 1.0}
    found = fired(plan, [{}] * 3 + [flat] * 15)
    assert [(code, step) for code, step, _ in found] == [("H1", 13)]
    assert word in found[0][2]


def test_h1_is_silent_when_one_group_had_signal(plan):
    flat = {"groups_no_signal_share": 1.0}
    assert fired(plan, ([flat] * 9 + [{"groups_no_signal_share": 0.9}]) * 3) == []


def test_h2_nearly_everything_is_cut_off(plan):
    found = fired(plan, [{}, {"truncated_share": 0.95}, {"truncated_share": 1.0}])
    assert [(code, step) for code, step, _ in found] == [("H2", 2)]
    assert "response.max_tokens" in found[0][2]


@pytest.mark.parametrize(
    "trouble",
    [
        {"train_error_share": 0.02, "train_python_grader_runtime_error_count": 3.0},
        {"train_other_error_count": 1.0, "train_error_share": 0.001},
    ],
)
def test_h3_graders_fail(plan, trouble):
    found = fired(plan, [{}, trouble])
    assert [(code, step) for code, step, _ in found] == [("H3", 2)]
    assert "_error × " in found[0][2]


def test_h3_is_silent_about_answers_that_are_not_json(plan):
    assert fired(plan, [{"train_sample_parse_error_count": 60.0}] * 5) == []


def test_h4_longer_answers_that_are_not_more_often_right(plan):
    trace = [{"completion_tokens_mean": 40.0 + 6 * n} for n in range(20)]
    paid = [{**t, "train_reward_mean": 0.3 + n / 40} for n, t in enumerate(trace)]
    found = fired(plan, paid)
    assert [code for code, _, _ in found] == ["H4"]
    assert "`exact`" in found[0][2]


def test_h4_is_silent_when_longer_answers_are_more_often_right(plan):
    trace = [
        {"completion_tokens_mean": 40.0 + 6 * n, "metrics/exact/train_mean": 0.3 + n / 40}
        for n in range(20)
    ]
    assert fired(plan, trace) == []


def test_h4_falls_back_to_the_reward_where_no_metric_says_what_is_right(plan):
    plan = replace(plan, evaluate=replace(plan.evaluate, pass_metric="reward >= 1"))
    trace = [{"completion_tokens_mean": 40.0 + 6 * n} for n in range(20)]
    assert "`train_reward_mean`" in fired(plan, trace)[0][2]


def test_every_rule_has_a_page():
    assert set(CODES) == {"H1", "H2", "H3", "H4", "H9", "H10"}


def test_h9_an_update_that_was_left_out(plan):
    found = fired(plan, [{"grad_norm": 0.5}, {"grad_norm": None}, {"grad_norm": None}])
    assert [(code, step) for code, step, _ in found] == [("H9", 2)]
