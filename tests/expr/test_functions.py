"""Every function of the table is documented, and its example is true."""

import inspect

import pytest

from rftspec.expr import compile_expression, function_names
from rftspec.expr.functions import FUNCTIONS
from rftspec.expr.parse import RESERVED_WORDS

OVERLOADS = [way for function in FUNCTIONS.values() for way in function.overloads]


@pytest.mark.parametrize("way", OVERLOADS, ids=lambda way: way.signature)
def test_example_is_true_in_both_evaluators(way):
    expression = compile_expression(way.example, {}, result="bool")
    assert expression.evaluate({}) is True
    assert expression.evaluate_by_walking({}) is True
    assert way.name + "(" in way.example


@pytest.mark.parametrize("way", OVERLOADS, ids=lambda way: way.signature)
def test_signature_and_implementation_take_the_same_arguments(way):
    assert way.doc.endswith(".")
    taken = list(inspect.signature(way.implementation).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in taken):
        assert way.parameters[-1].variadic
    else:
        assert len(taken) == len(way.parameters)
    assert set(way.rules) <= {p.name for p in way.parameters}
    if way.result.name.startswith("number") and callable(way.bounds):
        assert callable(way.bounds)


def test_function_names_are_no_words_of_the_language():
    assert not function_names() & RESERVED_WORDS
    assert all(name.isidentifier() and name.isascii() for name in function_names())


def test_the_hosted_products_functions_are_there():
    assert {"min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log"} <= function_names()
