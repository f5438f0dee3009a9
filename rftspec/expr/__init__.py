"""The scoring language: pure, total, bounded, statically typed."""

from rftspec.expr import types
from rftspec.expr.errors import EvalError
from rftspec.expr.expression import Expression, bounds, compile_expression
from rftspec.expr.functions import function_names
from rftspec.expr.origin import Origin, PlacedOrigin, TextOrigin
from rftspec.expr.parse import RESERVED_WORDS
from rftspec.expr.signature import Function, extra_function
from rftspec.expr.types import merge_value_types, type_of_json_schema

__all__ = [
    "RESERVED_WORDS",
    "EvalError",
    "Expression",
    "Function",
    "Origin",
    "PlacedOrigin",
    "TextOrigin",
    "bounds",
    "compile_expression",
    "extra_function",
    "function_names",
    "merge_value_types",
    "type_of_json_schema",
    "types",
]
