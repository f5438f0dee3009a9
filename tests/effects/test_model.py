"""Every field under `model` changes the adapter."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.effects.table import DROP, Effect
from tests.effects.world import BASE, HUB_MODEL, World, changed, check

TABLE = (
    Effect("model.base", ("./other", "builtin:case-reader"), ("adapter", "base_answers")),
    Effect(
        "model.revision",
        ("second",),
        ("adapter", "base_answers"),
        base={"model.base": HUB_MODEL, "model.revision": "first"},
    ),
    Effect("model.quantization", ("none",), ("adapter", "base_answers")),
    Effect("model.lora.rank", (3,), ("adapter", "adapter_config"), same=("base_answers",)),
    Effect("model.lora.alpha", (32,), ("adapter", "adapter_config"), same=("base_answers",)),
    Effect(
        "model.lora.targets",
        (["q_proj"], ["q_proj", "v_proj"], "layers.0.self_attn.*"),
        ("adapter", "adapter_config"),
        same=("base_answers",),
    ),
    Effect(
        "model.adapter",
        ("./saved",),
        ("adapter", "adapter_config"),
        beside={"model.lora": DROP},
        same=("base_answers",),
    ),
    Effect(
        "model.lora.variant",
        ("rslora", "dora"),
        ("adapter", "adapter_config"),
        same=("base_answers",),
    ),
)


@pytest.fixture(scope="module", autouse=True)
def saved(world: World) -> None:
    """A folder with an adapter of another rank, as a finished run has left it."""
    world.run(changed(BASE, {"model.lora.rank": 5}))
    found = next(
        path.parent
        for path in world.folder.glob("*/adapter/adapter_config.json")
        if json.loads(path.read_text("utf-8")).get("r") == 5
    )
    shutil.copytree(found, world.folder / "saved")


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_field_changes_the_adapter(world: World, effect: Effect) -> None:
    check(world, effect)
