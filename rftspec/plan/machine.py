"""What is known of the base model and of this machine without loading either: sizes and cores."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes that memory, time and the learning rate follow from."""

    parameters: int
    """All weights; from the config's shapes, or from the name."""
    hidden: int
    layers: int
    vocabulary: int
    key_values: int
    """Width of the keys of one layer: heads × head size."""
    context: int | None
    """Most tokens of prompt and answer together; None where it is not known."""
    source: str
    """Where this comes from: `config.json`, or `the model's name`."""
    linear_inputs: int = 0
    """Inputs plus outputs over all linear layers: rank × this are the adapter's weights."""
    query: int = 0
    """Width of the queries of one layer: heads × head size."""
    inner: int = 0
    """Width of the feed-forward layers."""
    family: str = ""
    """`model_type` of the config; "" where there is none."""


def shape_of(base: str, folder: Path | None) -> ModelShape | None:
    """The shape of a base model; None when neither a config nor its name tells."""
    if folder is not None:
        config = folder / "config.json"
        try:
            values = json.loads(config.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return shape_of_config(values) if isinstance(values, Mapping) else None
    return _shape_of_name(base)


def shape_of_config(config: Mapping[str, Any]) -> ModelShape | None:
    """The shape of a decoder in the Llama and Qwen family from its config; None for others."""
    try:
        hidden = int(config["hidden_size"])
        layers = int(config["num_hidden_layers"])
        vocabulary = int(config["vocab_size"])
        heads = int(config["num_attention_heads"])
        inner = int(config.get("intermediate_size", 4 * hidden))
    except (KeyError, TypeError, ValueError):
        return None
    head = int(config.get("head_dim") or hidden // heads)
    key_values = int(config.get("num_key_value_heads") or heads) * head
    query = heads * head
    attention = 2 * hidden * query + 2 * hidden * key_values
    embeddings = vocabulary * hidden * (1 if config.get("tie_word_embeddings", False) else 2)
    linear = 2 * (hidden + query) + 2 * (hidden + key_values) + 3 * (hidden + inner)
    context = config.get("max_position_embeddings")
    return ModelShape(
        parameters=layers * (attention + 3 * hidden * inner + 2 * hidden) + embeddings + hidden,
        hidden=hidden,
        layers=layers,
        vocabulary=vocabulary,
        key_values=key_values,
        context=int(context) if isinstance(context, int) else None,
        source="config.json",
        linear_inputs=layers * linear,
        query=query,
        inner=inner,
        family=str(config.get("model_type", "")),
    )


_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)\s*([bBmM])(?![A-Za-z0-9])")
# Hidden size, layers, key width and inner size of well-known sizes, in billions of parameters.
_TYPICAL = (
    (0.6, 1024, 28, 1024, 3072),
    (1.5, 1536, 28, 256, 8960),
    (2.0, 2048, 28, 1024, 6144),
    (3.5, 2048, 36, 256, 11008),
    (5.0, 2560, 36, 1024, 9728),
    (9.0, 4096, 36, 1024, 12288),
    (16.0, 5120, 40, 1024, 17408),
    (40.0, 5120, 64, 1024, 25600),
    (100.0, 8192, 80, 1024, 29568),
)


def _shape_of_name(name: str) -> ModelShape | None:
    match = _SIZE.search(name.replace("_", "-").split("/")[-1])
    if match is None:
        return None
    billions = float(match.group(1)) / (1000 if match.group(2) in "mM" else 1)
    for limit, hidden, layers, key_values, inner in _TYPICAL:
        if billions <= limit:
            linear = 4 * hidden + 2 * (hidden + key_values) + 3 * (hidden + inner)
            return ModelShape(
                parameters=round(billions * 1e9),
                hidden=hidden,
                layers=layers,
                vocabulary=151_936,
                key_values=key_values,
                context=None,
                source="the model's name",
                linear_inputs=layers * linear,
                query=hidden,
                inner=inner,
            )
    return None


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
