"""Axolotl: a config with `rl: grpo`."""

from __future__ import annotations

from collections.abc import Mapping

from rftspec.spec.importing import grpo
from rftspec.spec.importing.grpo import ENGINE, HUB, LOGS, ONE_UPDATE, SAVES, SCHEDULE, by_key
from rftspec.spec.importing.imported import Imported, Wishes, Work
from rftspec.spec.importing.ledger import Given, Ledger
from rftspec.spec.importing.reading import read_file
from rftspec.spec.importing.rows import put_data

_SAME: Mapping[str, tuple[str, str]] = {
    "revision_of_model": ("model.revision", ""),
    "lora_r": ("model.lora.rank", ""),
    "lora_alpha": ("model.lora.alpha", ""),
    "learning_rate": ("train.learning_rate", ""),
    "max_grad_norm": ("train.max_grad_norm", ""),
    "warmup_steps": ("train.warmup_steps", ""),
    "eval_steps": ("evaluate.every", ""),
    "seed": ("seed", ""),
}
_SAME_IN_TRL: Mapping[str, tuple[str, str]] = {
    "beta": ("train.kl", "beta: the weight of the KL term"),
    "max_completion_length": ("response.max_tokens", "max_completion_length"),
    "temperature": ("response.temperature", ""),
}
_LEFT_OUT: Mapping[str, str] = by_key(
    {
        ENGINE: (
            "bf16", "fp16", "tf32", "float16", "bfloat16", "torch_*", "flash_*", "sdp_attention",
            "xformers_attention", "attn_implementation", "gradient_checkpointing*", "dataloader_*",
            "deepspeed", "fsdp*", "vllm", "gc_steps", "sample_packing*", "eval_sample_packing",
            "eval_batch_size", "pad_to_sequence_len", "group_by_length", "plugins", "liger_*",
            "lora_*_kernel", "lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel", "strict",
            "context_parallel_size", "sequence_parallel_degree", "ddp_*", "local_rank",
            "model_type", "tokenizer_type", "tokenizer_use_fast", "tokenizer_config",
            "base_model_config", "is_*_derived_model", "use_tokenizer_default",
            "dataset_prepared_path", "dataset_processes", "skip_prepare_dataset",
            "shuffle_merged_datasets", "lora_fan_in_fan_out",
        ),
        "a prompt that is too long is an error here, never cut": ("sequence_len",),
        "the tokenizer's own are used": ("special_tokens", "tokens"),
        "the model's own template is used": ("chat_template*",),
        "the model's answers alone are learnt from": ("train_on_inputs", "roles_to_train"),
        "`rftspec run SPEC --out FOLDER` does that": ("output_dir",),
        "`rftspec resume RUN` does that": ("resume_from_checkpoint",),
        "`rftspec run` goes on with a run of the same plan": ("auto_resume_from_checkpoints",),
        "a run has its steps; the best checkpoint is chosen by the validation rows": (
            "early_stopping_patience",
        ),
        SAVES: ("save_*", "saves_per_epoch"),
        "set `evaluate.every`: steps between evaluations": ("evals_per_epoch",),
        "the base, the end, and every `evaluate.every` steps": ("eval_*",),
        LOGS: ("logging_steps", "wandb_*", "mlflow_*", "comet_*", "debug"),
        HUB: ("hub_*", "hf_use_auth_token", "push_dataset_to_hub"),
        SCHEDULE: (
            "optimizer", "optim_args", "lr_scheduler*", "cosine_*", "weight_decay", "adam_*",
        ),
        "the adapter has no dropout": ("lora_dropout",),
        "LoRA alone": ("peft_use_dora",),
        "`model.lora.alpha` is divided by the rank alone": ("peft_use_rslora",),
        "nothing but the adapter is trained": ("lora_modules_to_save", "unfrozen_parameters"),
        "code of a model's folder is never run": ("trust_remote_code",),
        "`trl.beta` is the weight of the KL term": ("rl_beta",),
        "NF4 with double quantisation is what `nf4` is": ("bnb_config_kwargs",),
    }
)  # fmt: skip
_LEFT_OUT_IN_TRL: Mapping[str, str] = by_key(
    {
        ENGINE: ("use_vllm", "vllm_*", "use_liger_loss", "generation_batch_size"),
        LOGS: ("log_completions", "num_completions_to_print"),
        "the reference is the base model": ("sync_ref_model", "ref_model_*"),
        ONE_UPDATE: ("epsilon", "epsilon_high", "num_iterations", "importance_sampling_level"),
        "advantages are divided by the group's deviation": ("scale_rewards",),
        "a truncated answer is graded as it is, and counted": ("mask_truncated_completions",),
        "answers are sampled from the whole distribution": (
            "top_p", "top_k", "min_p", "repetition_penalty",
        ),
        "a prompt that is too long is an error here, never cut": ("max_prompt_length",),
    }
)  # fmt: skip
_KNOWN = (
    *_SAME, *_SAME_IN_TRL, *(key.rstrip("*") for key in (*_LEFT_OUT, *_LEFT_OUT_IN_TRL)),
    "base_model", "rl", "trl", "adapter", "load_in_4bit", "load_in_8bit", "lora_target_modules",
    "lora_target_linear", "datasets", "test_datasets", "val_set_size", "micro_batch_size",
    "gradient_accumulation_steps", "num_epochs", "max_steps", "warmup_ratio", "num_generations",
    "reward_funcs", "reward_weights", "loss_type", "use_tensorboard",
)  # fmt: skip


def import_axolotl(wishes: Wishes) -> Imported:
    """The spec of a config. Raises DiagnosticError where it is none with `rl: grpo`."""
    ledger = Ledger.of(read_file(wishes.source))
    work = Work(wishes, ledger, kind="Axolotl's GRPO settings")
    root = ledger.root
    method = root.get("rl")
    if method is None or method.value != "grpo":
        told = "none" if method is None else str(method.value)
        message = f"the config's `rl` is {told}; GRPO can be imported"
        hint = "a config with `rl: grpo` is meant"
        raise ledger.rejection(method or root, message, hint)
    work.sketch.put("train.algorithm", "grpo")
    ledger.mapped(method, "train.algorithm")
    _model(root, work)
    grpo.take_all(root, _SAME, work)
    _trl(root, work)
    _data(root, work)
    grpo.leave_out(root, _LEFT_OUT, work)
    put_data(work)
    return work.finish("axolotl", _KNOWN)


def _model(root: Given, work: Work) -> None:
    base = root.get("base_model")
    if base is not None:
        grpo.put_model(base, work)
    _adapter(root, base, work)
    eight = root.get("load_in_8bit")
    if eight is not None:
        why = "4 bits (`nf4`) or as stored (`none`)"
        work.ledger.without(eight, why, warn=bool(eight.value))
    linear = root.get("lora_target_linear")
    if linear is not None and linear.value:
        work.field(linear, "model.lora.targets", "all-linear")
    elif linear is not None:
        work.ledger.without(linear, "the layers are named, or all")
    targets = root.get("lora_target_modules")
    if targets is not None and targets.value is not None:
        grpo.put_targets(targets, work)


def _adapter(root: Given, base: Given | None, work: Work) -> None:
    """An adapter on a base of 4 bits or as it is stored."""
    adapter, four = root.get("adapter"), root.get("load_in_4bit")
    quantized = adapter is not None and adapter.value == "qlora"
    quantized |= four is not None and bool(four.value)
    if adapter is not None or four is not None:
        work.sketch.put("model.quantization", "nf4" if quantized else "none")
    if four is not None:
        work.ledger.mapped(four, "model.quantization")
    trained = adapter is not None and adapter.value in ("lora", "qlora")
    field = "model.quantization"
    grpo.put_adapter(adapter, field, trained=trained, name="adapter", base=base, work=work)


def _trl(root: Given, work: Work) -> None:
    inner = root.get("trl")
    sizes = [root.get("micro_batch_size"), root.get("gradient_accumulation_steps")]
    known = [one for one in sizes if one is not None and one.value is not None]
    if inner is None or not inner.is_mapping:
        work.sketch.values.setdefault("graders", {})
        grpo.put_batch(known, None, work)
    else:
        grpo.take_all(inner, _SAME_IN_TRL, work)
        grpo.put_batch(known, inner.get("num_generations"), work)
        grpo.put_loss(inner.get("loss_type"), work)
        grpo.put_rewards(inner.get("reward_funcs"), inner.get("reward_weights"), work)
        grpo.leave_out(inner, _LEFT_OUT_IN_TRL, work)
    grpo.put_steps(root.get("max_steps"), root.get("num_epochs"), work)
    grpo.put_warmup(root.get("warmup_ratio"), work)
    board = root.get("use_tensorboard")
    if board is not None and board.value:
        work.sketch.put("track", ["tensorboard"])
        work.ledger.mapped(board, "track")
    elif board is not None:
        work.ledger.without(board, "it is off")


def _data(root: Given, work: Work) -> None:
    for key, split in (("datasets", "train"), ("test_datasets", "validation")):
        found = root.get(key)
        if found is not None:
            _datasets(found, split, work)
    share = root.get("val_set_size")
    if share is None:
        return
    if isinstance(share.value, int) and share.value > 0 and not work.sketch.has("data.validation"):
        work.sketch.put("data.validation", {"split": share.value}, "val_set_size")
        work.ledger.mapped(share, "data.validation")
    elif not share.value:
        work.ledger.without(share, "no rows are held out; `data.validation` steers a run")
    else:
        why = "a share of the rows: set `data.validation: { split: … }` to a number of rows"
        work.ledger.without(share, why, warn=True)


def _datasets(given: Given, split: str, work: Work) -> None:
    entries = [one for one in given.entries() if one.is_mapping]
    if not given.is_list or not entries:
        work.ledger.without(given, "it is empty")
        return
    first = entries[0]
    path = first.get("data_files") or first.get("path")
    if path is not None and path.is_list and len(path.node.value) == 1:
        path = next(path.entries())
    if path is None:
        work.ledger.refused(first, "this data set has no `path`")
    else:
        grpo.put_dataset(path, work, split)
    for one in first.entries():
        if path is None or one.path != path.path[: len(one.path)]:
            why = "rows have `messages` and the fields that graders read, or `data.prompt`"
            work.ledger.without(one, why)
    for other in entries[1:]:
        message = "a second data set"
        work.ledger.refused(other, message, "join the files: cat a.jsonl b.jsonl > train.jsonl")
