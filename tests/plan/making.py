"""Plans of the sample spec, as the command line makes them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from rftspec.plan.compile import compile_plan
from rftspec.plan.identity import identify
from rftspec.plan.model import Plan
from rftspec.spec.load import load_spec


def make_plan(spec: Path, *overrides: str, **more: Any) -> Plan:
    """The plan of a spec with what its models hold."""
    plan = compile_plan(load_spec(spec, overrides=overrides), **more)
    return dataclasses.replace(plan, contents=identify(plan))
