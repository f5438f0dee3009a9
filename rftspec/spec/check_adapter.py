"""`model.adapter`: a folder with a LoRA adapter, which brings its own settings."""

from __future__ import annotations

from rftspec.spec.adapters import read_adapter
from rftspec.spec.draft import Draft


def check_adapter(draft: Draft) -> None:
    """Refuse an adapter that is not there, cannot be trained on, or is described twice."""
    node, value = draft.node("model", "adapter"), draft.get("model", "adapter")
    if node is None or not isinstance(value, str):
        return
    folder = (draft.folder / value).resolve()
    try:
        read_adapter(folder)
    except ValueError as error:
        there = f"the folder `{value}`" if folder.is_dir() else f"`{value}` (looked for {folder})"
        said = str(error) if folder.is_dir() else "is not a folder"
        hint = "name a folder that PEFT has saved, such as `adapter` in the folder of a run"
        draft.collector.add(
            node.problem("E507", f"{there} {said}", hint=hint, path="model.adapter")
        )
    lora = draft.node("model", "lora")
    if lora is not None:
        message = "the adapter brings its own rank, alpha, targets and variant"
        hint = "leave out `model.lora`, or `model.adapter` to begin anew"
        draft.collector.add(lora.problem("E111", message, hint=hint, path="model.lora"))
