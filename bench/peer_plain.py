"""A plain loop on the task of `peer_task.py`: padded `generate`, two passes, full logits."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import torch  # noqa: E402 - needs the path above
from peer_ours import open_engine  # noqa: E402
from peer_task import Settings, emit, reward, rows  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from rftspec.engine.local import LocalEngine  # noqa: E402


class PlainLoop:
    """GRPO as a first version of it is written: everything padded, nothing shared."""

    def __init__(self, engine: LocalEngine, settings: Settings) -> None:
        self.engine, self.settings, self.model = engine, settings, engine.wrapped
        self.stop = list(engine.stop)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.trained, lr=settings.learning_rate, betas=settings.betas, weight_decay=0.0
        )

    def generate(self, prompts: list[tuple[int, ...]]) -> tuple[Tensor, Tensor, int]:
        """Tokens [rows, width + new], which of them are real, and the prompts' width."""
        batch = [tokens for tokens in prompts for _ in range(self.settings.samples_per_prompt)]
        width = max(map(len, batch))
        ids = torch.tensor([[0] * (width - len(tokens)) + list(tokens) for tokens in batch])
        mask = torch.tensor([[0] * (width - len(t)) + [1] * len(t) for t in batch])
        with torch.no_grad():
            out = self.model.generate(
                input_ids=ids, attention_mask=mask, do_sample=True, top_k=0,
                temperature=self.settings.temperature, max_new_tokens=self.settings.max_tokens,
                eos_token_id=self.stop, pad_token_id=0,
            )  # fmt: skip
        ended = torch.isin(out[:, width:], torch.tensor(self.stop))
        real = (ended.cumsum(1) - ended.long()) == 0
        return out, torch.cat([mask, real.long()], 1), width

    def logprobs(self, out: Tensor, mask: Tensor, width: int) -> Tensor:
        """Log-probabilities of the answers' tokens, [rows, new]."""
        places = (mask.cumsum(1) - 1).clamp(min=0)
        logits = self.model(input_ids=out, attention_mask=mask, position_ids=places).logits
        every = logits[:, width - 1 : -1].float().log_softmax(-1)
        return every.gather(2, out[:, width:, None])[..., 0]

    def learn(self, out: Tensor, mask: Tensor, width: int, rewards: Tensor) -> None:
        """One update from one batch."""
        real = mask[:, width:].float()
        grouped = rewards.view(-1, self.settings.samples_per_prompt)
        spread = grouped - grouped.mean(1, keepdim=True)
        advantages = (spread / (grouped.std(1, keepdim=True) + 1e-4)).view(-1, 1)
        parts = range(0, len(out), self.settings.micro_batch)
        parted = [slice(start, start + self.settings.micro_batch) for start in parts]
        with torch.no_grad():
            old = torch.cat([self.logprobs(out[part], mask[part], width) for part in parted])
        for part in parted:
            ratio = (self.logprobs(out[part], mask[part], width) - old[part]).exp()
            ours = advantages[part]
            gain = torch.minimum(ratio * ours, ratio.clamp(0.8, 1.2) * ours)
            (-(gain * real[part]).sum() / real.sum()).backward()
        nn.utils.clip_grad_norm_(self.trained, self.settings.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()


def main() -> None:
    """Train as asked for in the first argument, and emit a line per step."""
    settings = Settings.loads(sys.argv[1])
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    loop = PlainLoop(open_engine(settings), settings)
    taken, size = rows(settings), settings.prompts_per_step
    for step in range(1, settings.steps + 1):
        start = time.perf_counter()
        batch = taken[(step - 1) * size : step * size]
        out, mask, width = loop.generate([loop.engine.encode(row["messages"]) for row in batch])
        texts = loop.engine.tokenizer.batch_decode(
            out[:, width:] * mask[:, width:], skip_special_tokens=True
        )
        genes = [row["gene"] for row in batch for _ in range(settings.samples_per_prompt)]
        scores = [reward(text, gene) for text, gene in zip(texts, genes, strict=True)]
        loop.learn(out, mask, width, torch.tensor(scores))
        tokens = int(mask[:, width:].sum())
        seconds = time.perf_counter() - start
        emit("step", seconds=seconds, tokens=tokens, reward=sum(scores) / len(scores))
    emit("end", peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, versions={})


if __name__ == "__main__":
    main()
