"""The settings that judges share, as JSON Schema; apart, so that other graders load fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPENAI_URL = "https://api.openai.com/v1"
ROLES = ("system", "developer", "user", "assistant")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

INPUT_SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "role": {"type": "string", "enum": list(ROLES)},
            "content": {"type": ["string", "object", "array"]},
            "type": {"type": "string", "enum": ["message"]},
        },
        "required": ["role", "content"],
        "additionalProperties": False,
    },
    "description": "The messages for the judge: `role` and `content`, a template or parts of text.",
}

SAMPLING_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "seed": {"type": ["integer", "null"]},
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "top_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
        "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
        "max_completions_tokens": {"type": ["integer", "null"], "minimum": 1},
        "reasoning_effort": {"type": ["string", "null"], "enum": [*_EFFORTS, None]},
    },
    "additionalProperties": False,
    "description": "How the judge samples: `seed`, `temperature`, `top_p`, "
    "`max_completion_tokens` (or the hosted product's `max_completions_tokens`), "
    "`reasoning_effort`.",
}

JUDGE_SCHEMA: Mapping[str, Any] = {
    "model": {
        "type": "string",
        "minLength": 1,
        "x-env": True,
        "description": "The judge, by the name that the endpoint knows it by; with `local: true` "
        "`builtin:NAME`, a folder (`./judge`) or a Hugging Face id.",
    },
    "sampling_params": SAMPLING_SCHEMA,
    "base_url": {
        "type": "string",
        "default": OPENAI_URL,
        "x-env": True,
        "description": "An OpenAI-compatible endpoint, such as `http://localhost:8000/v1`.",
    },
    "api_key_env": {
        "type": "string",
        "description": "The name of the environment variable that holds the key; default: "
        "`OPENAI_API_KEY` for OpenAI's own endpoint, no key for any other.",
    },
    "local": {
        "type": "boolean",
        "default": False,
        "description": "Run the model on this machine instead of asking an endpoint.",
    },
    "answer_format": {
        "type": "string",
        "enum": ["auto", "json_schema", "text"],
        "default": "auto",
        "description": "How the verdict is asked for: by `response_format`, in words, or whichever "
        "the endpoint takes.",
    },
    "timeout_s": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 3600,
        "default": 120,
        "description": "Seconds for one attempt, from connecting to the last byte.",
    },
    "retries": {
        "type": "integer",
        "minimum": 0,
        "maximum": 20,
        "default": 4,
        "description": "Attempts beyond the first, with growing pauses.",
    },
    "concurrency": {
        "type": "integer",
        "minimum": 1,
        "maximum": 256,
        "default": 8,
        "description": "Questions that are asked at the same time.",
    },
    "max_tokens_total": {
        "type": "integer",
        "minimum": 1,
        "description": "Tokens, of prompts and replies together, that this grader may use.",
    },
    "cache": {
        "type": "boolean",
        "default": True,
        "description": "Keep verdicts on disk, and do not ask the same question twice.",
    },
}
"""The properties that score_model and label_model have in common."""
