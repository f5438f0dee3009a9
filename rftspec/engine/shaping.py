"""Training rewards: what graders gave, less what a completion's length costs; numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rftspec.engine.types import Completion
from rftspec.plan.model import TrainPlan


def shaped(
    plan: TrainPlan, rewards: Sequence[float], completions: Sequence[Completion], max_tokens: int
) -> NDArray[np.float64]:
    """Rewards as they are learnt from; those that are recorded stay as graders gave them."""
    values = np.asarray(rewards, dtype=np.float64)
    lengths = np.array([len(c.tokens) for c in completions])
    if plan.overlong == "punish":
        values = values + overlong_punishment(lengths, max_tokens, plan.overlong_buffer or 1)
    if plan.length_penalty:
        values = values - plan.length_penalty * lengths / max_tokens
    return np.asarray(values)


def overlong_punishment(
    lengths: NDArray[np.int64], max_tokens: int, buffer: int
) -> NDArray[np.float64]:
    """DAPO's soft overlong punishment (arXiv:2503.14476, equation 13): from 0 down to −1.

    Nothing up to `max_tokens − buffer` tokens, −1 at `max_tokens`, a line between.
    """
    return np.clip((max_tokens - buffer - lengths) / buffer, -1.0, 0.0)


def counted(plan: TrainPlan, completion: Completion) -> bool:
    """False for a completion that `overlong: mask` leaves out of the loss."""
    return plan.overlong != "mask" or completion.finish_reason != "length"
