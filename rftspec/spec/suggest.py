"""Did you mean: the nearest known name to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable

ELSEWHERE = {
    "lr": "learning_rate",
    "group_size": "samples_per_prompt",
    "num_generations": "samples_per_prompt",
    "rollouts_per_prompt": "samples_per_prompt",
    "batch_size": "prompts_per_step",
    "n_epochs": "epochs",
    "num_train_epochs": "epochs",
    "max_steps": "steps",
    "max_completion_length": "max_tokens",
    "max_new_tokens": "max_tokens",
    "response_format": "response",
    "beta": "kl",
    "kl_coef": "kl",
    "eval_interval": "every",
    "eval_steps": "every",
    "eval_samples": "samples",
    "model_name_or_path": "base",
    "training_file": "train",
    "validation_file": "validation",
    "valid": "validation",
    "lora_rank": "rank",
    "lora_alpha": "alpha",
    "target_modules": "targets",
    "r": "rank",
    "gates": "require",
    "grader": "graders",
}
"""Names of other tools (OpenAI's, TRL's, Axolotl's) for what rftspec calls otherwise."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, or None."""
    candidates = list(known)
    folded = _fold(name)
    for candidate in candidates:
        if _fold(candidate) == folded:
            return candidate
    best = min(((distance(folded, _fold(c)), c) for c in candidates), default=(99, ""))
    if best[0] <= (1 if len(folded) <= 4 else 2) and best[0] < len(folded):
        return best[1]
    inside = [c for c in candidates if len(c) > 3 and _fold(c) in folded.split("_")]
    return inside[0] if len(inside) == 1 else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names what was most likely meant, also by the names of other tools."""
    candidates = list(known)
    meant = nearest(name, candidates)
    if meant is not None:
        return f"did you mean `{meant}`?"
    foreign = nearest(name, [key for key, ours in ELSEWHERE.items() if ours in candidates])
    if foreign is not None:
        return f"did you mean `{ELSEWHERE[foreign]}`? (elsewhere: `{foreign}`)"
    return None


def distance(left: str, right: str, limit: int = 3) -> int:
    """Damerau-Levenshtein distance (neighbours swapped count one), cut off at the limit."""
    if abs(len(left) - len(right)) >= limit or len(left) > 100:
        return limit
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, before_that = row, before
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before_that[j - 2] + 1)
            row.append(cost)
        before = above
    return min(row[-1], limit)


def _fold(name: str) -> str:
    return name.strip().lower().replace("-", "_")
