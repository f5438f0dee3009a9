"""TRL: a GRPOConfig, or the YAML of `TrlParser` (script, trainer and model arguments in one)."""

from __future__ import annotations

from collections.abc import Mapping

from rftspec.spec.importing import grpo
from rftspec.spec.importing.grpo import ENGINE, HUB, LOGS, ONE_UPDATE, SAVES, SCHEDULE, by_key
from rftspec.spec.importing.imported import Imported, Wishes, Work
from rftspec.spec.importing.ledger import Given, Ledger
from rftspec.spec.importing.reading import read_file
from rftspec.spec.importing.rows import put_data

_SAME: Mapping[str, tuple[str, str]] = {
    "model_revision": ("model.revision", ""),
    "lora_r": ("model.lora.rank", ""),
    "lora_alpha": ("model.lora.alpha", ""),
    "learning_rate": ("train.learning_rate", ""),
    "beta": ("train.kl", "beta: the weight of the KL term"),
    "max_grad_norm": ("train.max_grad_norm", ""),
    "warmup_steps": ("train.warmup_steps", ""),
    "max_completion_length": ("response.max_tokens", "max_completion_length"),
    "temperature": ("response.temperature", ""),
    "seed": ("seed", ""),
}
_LEFT_OUT: Mapping[str, str] = by_key(
    {
        ENGINE: (
            "use_vllm", "vllm_*", "bf16", "fp16", "tf32", "torch_*", "dtype", "attn_implementation",
            "gradient_checkpointing*", "dataloader_*", "ddp_*", "deepspeed", "fsdp*",
            "num_processes", "ds3_gather_for_generation", "use_liger_*",
            "per_device_eval_batch_size", "cache_implementation", "steps_per_generation",
            "use_transformers_paged", "remove_unused_columns", "local_rank", "use_bnb_nested_quant",
            "lora_task_type", "dataset_num_proc", "dataset_streaming", "do_train", "callbacks",
            "model_init_kwargs", "full_determinism", "ignore_bias_buffers",
            "gradient_accumulation_kwargs", "run_config",
        ),
        "the rows are always dealt out anew, by the seed": ("shuffle_dataset",),
        "NF4 with double quantisation is what `nf4` is": ("bnb_4bit_*",),
        LOGS: (
            "logging_*", "log_*", "wandb_*", "trackio_*", "disable_tqdm",
            "num_completions_to_print", "include_*", "benchmarks",
        ),
        HUB: ("push_to_hub*", "hub_*"),
        SAVES: ("save_*", "overwrite_output_dir"),
        "`rftspec resume RUN` does that": ("resume_from_checkpoint",),
        "`rftspec run SPEC --out FOLDER` does that": ("output_dir",),
        SCHEDULE: ("optim", "optim_args", "lr_scheduler_*", "weight_decay", "adam_*"),
        "the adapter has no dropout": ("lora_dropout", "disable_dropout"),
        "LoRA alone": ("use_dora",),
        "`model.lora.alpha` is divided by the rank alone": ("use_rslora",),
        "nothing but the adapter is trained": ("lora_modules_to_save",),
        ONE_UPDATE: (
            "epsilon", "epsilon_high", "delta", "importance_sampling_level", "num_iterations",
        ),
        "the reference is the base model": ("sync_ref_model", "ref_model_*"),
        "advantages are divided by the group's deviation": ("scale_rewards",),
        "a truncated answer is graded as it is, and counted": ("mask_truncated_completions",),
        "answers are sampled from the whole distribution": (
            "top_p", "top_k", "min_p", "repetition_penalty", "generation_kwargs",
        ),
        "every token is learnt from": ("top_entropy_quantile",),
        "a prompt that is too long is an error here, never cut": ("max_prompt_length",),
        "the model's own template is used": ("chat_template*",),
        "for the data set of the hub": (
            "dataset_config", "dataset_configs", "dataset_train_split", "dataset_test_split",
        ),
        "rows have `messages`, or `data.prompt` is a template": ("dataset_prompt_column",),
        "the base, the end, and every `evaluate.every` steps": (
            "eval_strategy", "evaluation_strategy", "do_eval",
        ),
        "the base model is always measured": ("eval_on_start",),
        "code of a model's folder is never run": ("trust_remote_code",),
        "`seed` is for everything": ("data_seed",),
        "tools are not called while a run trains": ("tools",),
    }
)  # fmt: skip
_KNOWN = (
    *_SAME, *(key.rstrip("*") for key in _LEFT_OUT), "model_name_or_path", "max_steps",
    "num_train_epochs", "num_generations", "per_device_train_batch_size", "warmup_ratio",
    "gradient_accumulation_steps", "reward_funcs", "reward_weights", "loss_type", "use_peft",
    "load_in_4bit", "load_in_8bit", "lora_target_modules", "dataset_name", "eval_steps",
    "report_to", "run_name", "generation_batch_size", "system_prompt",
)  # fmt: skip
_TELLING = ("num_generations", "reward_funcs", "max_completion_length", "beta")


def import_trl(wishes: Wishes) -> Imported:
    """The spec of a GRPO script's settings. Raises DiagnosticError where the file is none."""
    ledger = Ledger.of(read_file(wishes.source))
    work = Work(wishes, ledger, kind="TRL's GRPO settings")
    root = ledger.root
    if not root.is_mapping or not any(root.get(key) is not None for key in (*_TELLING, *_SAME)):
        hint = "a GRPOConfig as JSON or YAML, or the YAML that TrlParser reads, is meant"
        message = "these are no GRPO settings"
        raise ledger.rejection(root, message, hint)
    _model(root, work)
    grpo.take_all(root, _SAME, work)
    _sizes(root, work)
    _data(root, work)
    grpo.put_loss(root.get("loss_type"), work)
    grpo.put_rewards(root.get("reward_funcs"), root.get("reward_weights"), work)
    grpo.leave_out(root, _LEFT_OUT, work)
    put_data(work)
    return work.finish("trl", _KNOWN)


def _model(root: Given, work: Work) -> None:
    base = root.get("model_name_or_path") or root.get("model")
    if base is not None:
        grpo.put_model(base, work)
    targets = root.get("lora_target_modules")
    if targets is not None and targets.value is not None:
        grpo.put_targets(targets, work)
    four = root.get("load_in_4bit")
    if four is not None:
        work.field(four, "model.quantization", "nf4" if four.value else "none", "load_in_4bit")
    eight = root.get("load_in_8bit")
    if eight is not None:
        why = "4 bits (`nf4`) or as stored (`none`)"
        work.ledger.without(eight, why, warn=bool(eight.value))
    peft = root.get("use_peft")
    trained = peft is not None and bool(peft.value)
    grpo.put_adapter(peft, "model.lora", trained=trained, name="use_peft", base=base, work=work)


def _sizes(root: Given, work: Work) -> None:
    grpo.put_steps(root.get("max_steps"), root.get("num_train_epochs"), work)
    whole = root.get("generation_batch_size")
    parts = [root.get("per_device_train_batch_size"), root.get("gradient_accumulation_steps")]
    sizes = [one for one in parts if one is not None and one.value is not None]
    if whole is not None and whole.value is not None and not sizes:
        sizes = [whole]
    elif whole is not None:
        work.ledger.without(whole, "the batch of one step is what counts")
    grpo.put_batch(sizes, root.get("num_generations"), work)
    grpo.put_warmup(root.get("warmup_ratio"), work)


def _data(root: Given, work: Work) -> None:
    dataset = root.get("dataset_name")
    if dataset is not None:
        grpo.put_dataset(dataset, work)
    prompt = root.get("system_prompt")
    if prompt is not None and prompt.value is not None:
        why = "put it into the rows, or into `data.prompt` as a message of the role system"
        work.ledger.without(prompt, why, warn=True)
    every = root.get("eval_steps")
    if every is not None:
        if isinstance(every.value, float) and 0 < every.value < 1:
            work.ledger.without(every, "a share of the steps: set `evaluate.every`")
        else:
            work.field(every, "evaluate.every", every.value)
    report = root.get("report_to")
    if report is not None:
        grpo.put_report(report, work)
    name = root.get("run_name")
    if name is not None and isinstance(name.value, str):
        work.field(name, "name", work.name(name.value))
