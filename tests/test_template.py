"""Templates: paths into JSON, nothing else, and nothing expanded twice."""

from __future__ import annotations

import pytest

from rftspec.template import MissingVariable, TemplateError, parse_template

VALUES = {
    "item": {"answer": "b", "nums": [1, 2.5], "deep": {"list": [{"x": None}]}, "quoted": 'a"é'},
    "sample": {"output_text": "{{ item.answer }}", "output_tools": [{"function": {"name": "f"}}]},
}


def render(text: str) -> str:
    return parse_template(text).render(VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain { text }", "plain { text }"),
        ("{{ item.answer }}", "b"),
        ("{{item.answer}}!", "b!"),
        ("a {{ item.answer }} c {{ item.answer }}", "a b c b"),
        ("{{ item.nums }}", "[1, 2.5]"),
        ("{{ item.nums[1] }}", "2.5"),
        ("{{ item.deep.list[0].x }}", "null"),
        ("{{ item.deep }}", '{"list": [{"x": null}]}'),
        ("{{ item.quoted }}", 'a"é'),
        ("{{ sample.output_tools[0].function.name }}", "f"),
    ],
)
def test_paths_render_text_as_it_is_and_the_rest_as_json(text: str, expected: str) -> None:
    assert render(text) == expected


def test_template_text_inside_a_value_is_not_expanded_again() -> None:
    assert render("{{ sample.output_text }}") == "{{ item.answer }}"


@pytest.mark.parametrize(
    "text",
    ["{{ item.nope }}", "{{ item.nums[2] }}", "{{ item.answer.x }}", "{{ item.answer[0] }}"],
)
def test_path_that_leads_nowhere_is_missing_and_says_which(text: str) -> None:
    with pytest.raises(MissingVariable) as caught:
        render(text)
    assert caught.value.path == text.strip("{} ")


@pytest.mark.parametrize(
    ("text", "start", "word"),
    [
        ("{{ itm.answer }}", 3, "item"),
        ('{{ item["answer"] }}', 3, ".name"),
        ("{{ item.answer | upper }}", 3, "filter"),
        ("{{ ''.__class__.__mro__ }}", 3, "path"),
        ("{{ item.answer }}}", 17, "too many"),
        ("{{{{ item.answer }}}}", 2, "nested"),
        ("{{ item.list[99999999999] }}", 3, "too large"),
        ("{{ }}", 3, "path"),
        ("a {{ item.x", 2, "without"),
        ("a }} b", 2, "without"),
        ("{{ item.x() }}", 3, "path"),
    ],
)
def test_what_is_no_template_is_refused_at_its_place(text: str, start: int, word: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert caught.value.start == start
    assert word in caught.value.message


def test_references_know_where_their_path_stands() -> None:
    text = "x {{ item.a[0].b }}"
    (reference,) = parse_template(text).references
    assert reference.path == ("item", "a", 0, "b")
    assert text[reference.start : reference.end] == "item.a[0].b"
