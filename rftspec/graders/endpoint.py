"""`endpoint`: a number from a service of the user's, asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rftspec.graders.building import RANGE_SCHEMA, Builder, Settings

if TYPE_CHECKING:
    from rftspec.graders.remote.service import EndpointGrader

DOC = """\
Posts each sample to a service of yours, which answers with its score. Where a judgement needs a
database, a compiler farm or a simulator, this is the door to it.

    POST <url>
    {"sample": {"output_text": …, "output_json": …, "output_tools": …, "choices": …},
     "item": {…the row…},
     "trace_id": "3f6c…"}

    200 {"score": 0.75}

`trace_id` is a hash of sample and row: the same sample has the same id whenever it is sent, so a
service may use it to recognise a repeated request. The score must be a finite number within
`range`; it is not clamped.

**Secrets.** `headers` stand in the spec, and so in the plan and in the record. A header that holds
a secret comes from the environment: `headers_env: {Authorization: MY_TOKEN}` sends the value of the
variable MY_TOKEN, whole (so MY_TOKEN is `Bearer …` where the service wants that). The value is
never written down, and taken out of whatever the service answers.

**Limits.** Request and answer have at most 1 MB (1,048,576 bytes) each. An attempt has `timeout_s`
seconds from connecting to the last byte. `concurrency` requests run at a time, and `rate_limit`
caps the requests per second, repeated ones among them. Time-outs, broken connections, 5xx, 408, 425
and 429 are tried again `retries` times, after pauses that double from 0.5 s to 20 s, or after the
`Retry-After` that the service asks for (at most 60 s). Once a request has failed through all its
attempts while no other succeeded, the service counts as down: it is tried every 5 s, and in between
samples fail at once. Redirects are not followed. Answers are not cached.

| what happens | the sample gets |
|---|---|
| time-out, no connection, 5xx, 408, 425 or 429 through all attempts | `unresponsive_reward_error` |
| any other status: 4xx, a redirect | `other_error` |
| an answer that is not `{"score": number}`, is over 1 MB, or is outside `range` | `other_error` |
| a sample and row over 1 MB | `other_error` |

None of them pays. Only `unresponsive_reward_error` is a failure of infrastructure, which a run may
drop instead of giving the lowest reward: a 4xx may be caused by what the model wrote, so it is not.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "url": {
            "type": "string",
            "x-env": True,
            "description": "Where samples are posted, such as `https://grade.example/score`.",
        },
        "headers": {
            "type": "object",
            "additionalProperties": {"type": "string", "x-env": True},
            "description": "Headers to send; none of them a secret.",
        },
        "headers_env": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Headers whose values are secret, each with the name of the "
            "environment variable that holds the value.",
        },
        "range": {
            **RANGE_SCHEMA,
            "default": [0, 1],
            "description": "Lowest and highest score; a score outside is an error.",
        },
        "rate_limit": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Requests per second, at most; default: as fast as they are answered.",
        },
        "timeout_s": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 3600,
            "default": 60,
            "description": "Seconds for one attempt, from connecting to the last byte.",
        },
        "retries": {
            "type": "integer",
            "minimum": 0,
            "maximum": 20,
            "default": 3,
            "description": "Attempts beyond the first, with growing pauses.",
        },
        "concurrency": {
            "type": "integer",
            "minimum": 1,
            "maximum": 256,
            "default": 8,
            "description": "Requests that run at the same time.",
        },
    },
    "required": ["url"],
}


def build(settings: Settings, builder: Builder) -> EndpointGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    # imported late: most specs have no endpoint
    from rftspec.graders.remote.service import build_endpoint

    return build_endpoint(settings, builder)
