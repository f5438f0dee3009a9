"""TRL's GRPOTrainer on the task of `peer_task.py`; run by `peers.py` in TRL's own environment."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from importlib.metadata import version
from typing import Any

from peer_task import MODEL, Settings, emit, reward, rows


def open_model(settings: Settings) -> Any:
    """The base in fp32, or in NF4 that computes in fp32."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    extra: dict[str, Any] = {}
    if settings.quantization == "nf4":
        extra["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float32,
        )
    return AutoModelForCausalLM.from_pretrained(str(MODEL), dtype=torch.float32, **extra)


def config(settings: Settings, folder: str) -> Any:
    """The settings in TRL's words."""
    from trl import GRPOConfig

    samples = settings.prompts_per_step * settings.samples_per_prompt
    return GRPOConfig(
        output_dir=folder,
        use_cpu=True,
        bf16=False,
        seed=settings.seed,
        max_steps=settings.steps,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=samples // settings.micro_batch,
        num_generations=settings.samples_per_prompt,
        max_completion_length=settings.max_tokens,
        temperature=settings.temperature,
        top_k=0,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        weight_decay=0.0,
        max_grad_norm=settings.max_grad_norm,
        beta=0.0,
        loss_type="dapo",
        epsilon=0.2,
        gradient_checkpointing=False,
        shuffle_dataset=False,
        use_transformers_continuous_batching=settings.continuous_batching,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )


def clock(samples: int) -> Any:
    """A callback that times the steps and passes on what TRL logs of them."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Emits a line when a step's metrics are logged."""

        def on_step_begin(self, *args: Any, **_: Any) -> None:
            self.start = time.perf_counter()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs is None or "completions/mean_length" not in logs:
                return
            tokens = logs["completions/mean_length"] * samples
            seconds = time.perf_counter() - self.start
            emit("step", seconds=seconds, tokens=tokens, reward=logs["reward"])

    return Clock()


def score(completions: Any, gene: list[str], **_: Any) -> list[float]:
    """The task's reward, as TRL calls it."""
    return [reward(one[0]["content"], name) for one, name in zip(completions, gene, strict=True)]


def main() -> None:
    """Train as asked for in the first argument, and emit a line per step."""
    settings = Settings.loads(sys.argv[1])
    import torch

    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl import GRPOTrainer

    taken = [{"prompt": row["messages"], "gene": row["gene"]} for row in rows(settings)]
    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=open_model(settings),
            reward_funcs=score,
            args=config(settings, folder),
            train_dataset=Dataset.from_list(taken),
            processing_class=AutoTokenizer.from_pretrained(str(MODEL)),
            peft_config=LoraConfig(
                r=settings.lora_rank,
                lora_alpha=settings.lora_alpha,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            ),
            callbacks=[clock(settings.prompts_per_step * settings.samples_per_prompt)],
        )
        trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    versions = {name: version(name) for name in ("trl", "torch", "transformers", "peft")}
    emit("end", peak_bytes=peak, versions=versions)


if __name__ == "__main__":
    main()
