"""The model card that lies in the adapter's folder: what it is, and how plain peft loads it."""

from __future__ import annotations

from rftspec.plan.model import Plan

_LICENCE_NOTE = (
    "The adapter holds changes to the base model's weights: the base model's licence applies to "
    "their use together."
)


def model_card(plan: Plan, *, summary: str = "", step: int | None = None) -> str:
    """README.md for `adapter/`, in the hub's format; `summary` is the verdict in Markdown."""
    base = plan.model.base
    hub = not base.startswith("builtin:") and not base.startswith("/")
    front = ["---", "library_name: peft", "pipeline_tag: text-generation"]
    if hub:
        front.append(f"base_model: {base}")
    front += ["tags:", "- rftspec", "- lora", "- reinforcement-fine-tuning", "---"]
    kept = "" if step is None else f" The checkpoint of step {step} was kept."
    body = [
        f"# {plan.name}",
        "",
        f"A LoRA adapter (rank {plan.model.lora_rank}, alpha {plan.model.lora_alpha:g}) for "
        f"`{base}`, trained by reinforcement learning ({plan.train.algorithm}, {plan.train.steps} "
        f"steps of {plan.train.prompts_per_step} × {plan.train.samples_per_prompt} completions) "
        f"with rftspec, plan `{plan.hash}`.{kept}",
    ]
    if summary:
        body += ["", summary.strip()]
    body += ["", "## Load it", "", "```python", *_snippet(plan), "```", "", "## Reward", ""]
    body += ["```text", plan.reward.strip(), "```", "", _LICENCE_NOTE]
    return "\n".join([*front, "", *body, ""])


def _snippet(plan: Plan) -> list[str]:
    """Lines of Python that load base and adapter without rftspec."""
    base = plan.model.base
    lines = [
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
    ]
    if base.startswith("builtin:"):
        name = base.removeprefix("builtin:")
        lines += [
            "from rftspec.resources import resource  # only to find the base model's folder",
            "",
            f'base = str(resource("models", "{name}"))',
        ]
    else:
        lines.append(f"base = {base!r}")
    quantised = plan.model.quantization == "nf4"
    revision = f", revision={plan.model.revision!r}" if plan.model.revision else ""
    setting = ", quantization_config=nf4" if quantised else ""
    if quantised:
        lines[1] = (
            "from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig"
        )
        lines.append('nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")')
    return [
        *lines,
        f"tokenizer = AutoTokenizer.from_pretrained(base{revision})",
        f"model = AutoModelForCausalLM.from_pretrained(base{setting}{revision})",
        'model = PeftModel.from_pretrained(model, "adapter")  # this folder',
    ]
