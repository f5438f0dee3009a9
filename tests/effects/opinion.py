"""A judge and a grading service whose opinion is a function of all that they are told."""

from __future__ import annotations

import json
from hashlib import sha256

from tests.graders.fake_server import Action, Seen, error, verdict

SLOW_S = 0.2


def opinion(seen: Seen) -> Action:
    """A score from a hash of the request; some names bring trouble.

    `slow` answers late, `flaky` only when it is asked the second time, `plain` only without
    `response_format`, and `down` never about `black`.
    """
    headers = [seen.headers.get(name) for name in ("authorization", "x-team")]
    said = json.dumps([seen.path, headers, seen.json], sort_keys=True)
    share = int(sha256(said.encode()).hexdigest()[:6], 16) / 0xFFFFFF
    wait = SLOW_S if "slow" in said else 0.0
    if "plain" in said and "response_format" in seen.json:
        return error(400, "response_format is not known here")
    if "down" in said and "black" in said:
        return error(503, headers={"Retry-After": "0"})
    if "flaky" in said and seen.number % 2 == 0:
        return error(503, headers={"Retry-After": "0"})
    if seen.path.endswith("/score"):
        return Action(body=json.dumps({"score": round(share, 4)}).encode(), wait=wait)
    labels = _labels(seen)
    if labels:
        return verdict(labels[int(share * 1000) % len(labels)], wait=wait)
    return verdict(round(share, 4), wait=wait)


def _labels(seen: Seen) -> list[str]:
    """The labels that the request allows; those of a request in words are `good` and `bad`."""
    form = seen.json.get("response_format") or {}
    properties = form.get("json_schema", {}).get("schema", {}).get("properties", {})
    found = properties.get("result", {}).get("enum")
    if found is None and not properties and '"good"' in json.dumps(seen.json).replace("\\", ""):
        return ["good", "bad"]
    return list(found or ())
