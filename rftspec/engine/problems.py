"""The engine's diagnostics: codes M2xx, what each means, and the fix; free of torch."""

from __future__ import annotations

from collections.abc import Mapping

from rftspec.diagnostics import Diagnostic, DiagnosticError

CODES: Mapping[str, str] = {
    "M201": "The base model is not there: no built-in model, folder or cached download of this "
    "name, and the hub cannot be reached. Check the spelling of `model.base`, or download the "
    "model once on a machine with a network and give its folder.",
    "M202": "The hub has no model repository (or revision) of this name. Check the spelling, and "
    "`model.revision`; a private repository needs `hf auth login`.",
    "M203": "The model is gated: its licence has to be accepted on its page on the hub, and this "
    "machine has to be logged in (`hf auth login`, or HF_TOKEN).",
    "M204": "The folder is not a model that transformers can load: config.json or the weights are "
    "missing or damaged.",
    "M205": "The model's tokenizer cannot be loaded: tokenizer.json or tokenizer_config.json is "
    "missing or damaged.",
    "M206": "The tokenizer has no chat template, so that messages cannot become a prompt. Use the "
    "instruct version of the model, or add `chat_template` to its tokenizer_config.json.",
    "M207": "The architecture is not a causal language model that the installed transformers "
    "knows. Use a text-generation model, or a newer transformers.",
    "M208": "`model.lora.targets` names no linear layer of this model. Use `all-linear`, or names "
    "that its layers end with.",
    "M209": "A GPU was asked for and torch sees none. Set `device: cpu` or `device: auto`, or "
    "install a torch build for your card.",
    "M210": "A prompt and `response.max_tokens` together are longer than the model's context. "
    "Shorten the prompt, or lower `response.max_tokens`.",
    "M211": "NF4 needs bitsandbytes, and it does not work here. Install it again, or set "
    "`model.quantization: none`.",
    "M212": "A saved adapter or state is missing, damaged, or of another model, rank or targets. "
    "Use the folder that belongs to this plan.",
    "M213": "The model is too large for the memory of this machine.",
    "M214": "The messages cannot be rendered by the model's chat template: some templates refuse "
    "a system message or two messages in a row from one role.",
    "M215": "The training algorithm is not one that the engine has.",
    "M216": "The adapter is of a kind that adds to the prompt (prompt tuning, prefix tuning): only "
    "adapters that change weights (LoRA, DoRA, IA3 and the like) can be measured here.",
}
"""Every code that the engine raises, with the page that `rftspec explain` shows."""


def problem(
    code: str, message: str, *, hint: str | None = None, path: str | None = None
) -> Exception:
    """A DiagnosticError of one engine code; the hint defaults to the code's page."""
    return DiagnosticError(
        [Diagnostic(code=code, message=message, hint=hint or CODES[code], path=path)]
    )
