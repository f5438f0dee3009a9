"""Exit codes, the same for every verb."""

from __future__ import annotations

FINE = 0
WRONG = 1
"""The spec, the data or a grader is wrong; said with place and fix."""
USAGE = 2
RESUMABLE = 3
"""The run failed; the command that goes on is printed."""
GATE = 4
"""Finished, but a `require:` gate failed."""
BUG = 70
"""A bug in rftspec itself."""
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Whoever read our output went away."""
