"""Types are read from data and schemas, and join."""

from rftspec.expr.types import (
    BOOL,
    JSON,
    NEVER,
    NUMBER,
    STRING,
    ListOf,
    OptionalOf,
    RecordOf,
    describe,
    join,
    merge_value_types,
    type_of_json_schema,
)


def test_every_row_counts():
    rows = [
        {"a": 1, "s": "x", "xs": [], "m": 1, "o": {"k": True}},
        {"a": 2.5, "s": None, "xs": ["g"], "m": "one", "o": {}},
    ]
    assert merge_value_types(rows) == RecordOf(
        {
            "a": NUMBER,
            "s": OptionalOf(STRING),
            "xs": ListOf(STRING),
            "m": JSON,
            "o": RecordOf({"k": OptionalOf(BOOL)}),
        }
    )
    assert merge_value_types([{"a": 1}, {}]) == RecordOf({"a": OptionalOf(NUMBER)})


def test_a_bool_is_no_number_and_a_null_is_no_value():
    assert merge_value_types([True, 1]) == JSON
    assert merge_value_types([None]) == OptionalOf(JSON)
    assert merge_value_types([]) == JSON
    assert merge_value_types([[1, None]]) == ListOf(JSON)
    assert merge_value_types([[], []]) == ListOf(NEVER)
    assert merge_value_types([[1], "x"]) == JSON


def test_schemas_give_types():
    schema = {
        "type": "object",
        "required": ["genes", "score", "maybe"],
        "properties": {
            "genes": {"type": "array", "items": {"type": "string"}},
            "score": {"type": "integer"},
            "maybe": {"type": ["string", "null"]},
            "either": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "mixed": {"oneOf": [{"type": "number"}, {"type": "string"}]},
            "kind": {"enum": ["a", "b"]},
            "anything": {},
        },
    }
    assert type_of_json_schema(schema) == RecordOf(
        {
            "genes": ListOf(STRING),
            "score": NUMBER,
            "maybe": OptionalOf(STRING),
            "either": OptionalOf(NUMBER),
            "mixed": OptionalOf(JSON),
            "kind": OptionalOf(STRING),
            "anything": OptionalOf(JSON),
        }
    )


def test_schemas_that_do_not_say_are_json():
    for schema in (True, {}, {"$ref": "#"}, {"type": "object"}, {"type": 3}, "x", {"type": []}):
        assert type_of_json_schema(schema) == JSON
    deep = {"type": "number"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    assert type_of_json_schema(deep).name.startswith("list[")


def test_types_join_to_what_holds_both():
    assert join(NUMBER, OptionalOf(NUMBER)) == OptionalOf(NUMBER)
    assert join(ListOf(NEVER), ListOf(STRING)) == ListOf(STRING)
    assert join(RecordOf({"a": NUMBER}), RecordOf({"b": BOOL})) == RecordOf(
        {"a": OptionalOf(NUMBER), "b": OptionalOf(BOOL)}
    )
    assert join(RecordOf({"a": NUMBER}), RecordOf({"a": BOOL})) is None
    assert join(NUMBER, STRING) is None
    assert join(JSON, STRING) is None
    assert OptionalOf(OptionalOf(NUMBER)) == OptionalOf(NUMBER)


def test_types_have_words():
    assert describe(OptionalOf(ListOf(STRING))) == "a list of strings that may be missing"
    assert describe(ListOf(ListOf(NUMBER))) == "a list of lists of numbers"
    assert describe(ListOf(NEVER)) == "an empty list"
    assert str(OptionalOf(ListOf(NUMBER))) == "list[number]?"
