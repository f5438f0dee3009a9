"""JSON Schema of the fields whose form an annotation cannot tell: prompts, formats, names."""

from __future__ import annotations

from typing import Any

ITEM_FIELD = r"^item(\.[A-Za-z_][A-Za-z0-9_]*)+$"
"""A field of the rows, as `data.disjoint` and `data.validation.by` name it."""

DISJOINT: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "pattern": ITEM_FIELD},
    "uniqueItems": True,
}

PROMPT: dict[str, Any] = {
    "type": ["string", "array"],
    "minLength": 1,
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "role": {"type": "string", "enum": ["developer", "system", "user", "assistant"]},
            "content": {"type": "string", "minLength": 1},
        },
        "required": ["role", "content"],
        "additionalProperties": False,
    },
}

GOLD: dict[str, Any] = {"type": ["string", "object", "array"], "minLength": 1, "minItems": 1}

_NAME = {"type": "string", "minLength": 1, "description": "The schema's name, as OpenAI wants one."}
_STRICT = {
    "type": "boolean",
    "description": "OpenAI's; here every answer is held to the whole schema, whatever it says.",
}
_SCHEMA = {"type": "object", "description": "The JSON Schema that an answer has to follow."}
RESPONSE_FORMAT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {
            "type": "string",
            "enum": ["json_schema", "json_object", "text"],
            "description": "JSON that follows a schema, any JSON object, or text.",
        },
        "json_schema": {
            "type": "object",
            "description": "The schema with its name, nested as OpenAI has it.",
            "properties": {
                "name": _NAME,
                "description": {
                    "type": "string",
                    "description": "For people; no grader and no model reads it.",
                },
                "strict": _STRICT,
                "schema": _SCHEMA,
            },
            "required": ["schema"],
            "additionalProperties": False,
        },
        "name": _NAME,
        "strict": _STRICT,
        "schema": _SCHEMA,
    },
    "required": ["type"],
    "additionalProperties": False,
}

EXPRESSION: dict[str, Any] = {"type": "string", "minLength": 1, "x-expression": True}

METRICS: dict[str, Any] = {
    "type": "object",
    "maxProperties": 64,
    "additionalProperties": EXPRESSION,
}

MAX_GATES = 64
GATES: dict[str, Any] = {"type": "array", "maxItems": MAX_GATES, "items": EXPRESSION}

LEARNING_RATE: dict[str, Any] = {
    "type": ["number", "string"],
    "exclusiveMinimum": 0,
    "maximum": 100,
    "pattern": "^auto$",
    "x-expected": "a number above 0, or `auto`",
}
