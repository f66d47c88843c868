"""Useful tokens per second in encoder-decoder training: our batches compared with the recipe of the original.

    python bench/train.py [--batches 2,16] [--steps 5] [--model MODEL] [--bf16]

The original (Liu et al. 2023) trains in random order and pads to the longest prompt of each batch, as the stock
`Seq2SeqTrainer` does with `DataCollatorForSeq2Seq`. Ours is the trainer of `symtune train`: batches of similar length
within its own token budget, whatever the batch size of the original. Both see the same examples, in optimizer steps of
about equally many examples, with the same model, attention and optimizer. A useful token belongs to a prompt or an
answer; padding does not count, and neither does the first step of each. On a CPU, seconds are CPU time of all threads
of the process, so that other work on the machine has no influence. Lengths are those of WikiTableQuestions' prompts.

On a GPU, the same command also gives the most memory that was allocated, and the share of the card's peak in bfloat16
that the FLOPs of the model use (`model_flops`: what the examples need without padding, whatever was computed). On a
CPU, both are not applicable.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from symtune.models.local import LoadedModel, load
from symtune.packing import Row
from symtune.training import TrainConfig
from symtune.training.plan import make_plan
from symtune.training.tensors import Batches
from symtune.training.trainers import make_trainer

LONGEST, EXAMPLES = 2048, 2000
SMALL = {
    "architecture": "t5", "tokenizer": "bytes", "d_model": 128, "d_kv": 32, "d_ff": 512, "num_layers": 2,
    "num_heads": 4,
}  # fmt: skip
# Percentiles 0, 2, … 100 of the prompt lengths of WikiTableQuestions in tokens, cut at 2,048; answers average 4 tokens.
WTQ_LENGTHS = [
    152, 207, 228, 239, 247, 259, 270, 294, 314, 327, 335, 351, 369, 385, 406, 430, 453, 466, 495, 512, 541, 561, 577,
    592, 604, 618, 632, 660, 694, 726, 774, 795, 828, 868, 921, 1012, 1082, 1139, 1189, 1293, 1383, 1492, 1631, 1737,
    1989, 2048, 2048, 2048, 2048, 2048, 2048,
]  # fmt: skip
# Dense peak in bfloat16, in FLOPs per second, by a part of the card's name.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 181e12, "A10": 125e12, "4090": 165e12}


@dataclass(frozen=True)
class Said:
    """What the command line says about both arms."""

    steps: int
    per_step: int
    bf16: bool


@dataclass
class Measured:
    """One arm: useful tokens and FLOPs of the model per second, share of padding, seconds, bytes of GPU memory."""

    rate: float
    flops: float
    padding: float
    seconds: float
    memory: int


def examples(number: int, vocabulary: int) -> list[Row]:
    """Rows of random tokens with the lengths of WikiTableQuestions."""
    draw, places = np.random.default_rng(7), np.arange(len(WTQ_LENGTHS))
    prompts = np.interp(draw.uniform(0, places[-1], number), places, WTQ_LENGTHS).astype(int)
    answers = draw.integers(2, 7, number)
    return [
        Row(draw.integers(3, vocabulary, prompt + answer).astype(np.int32), int(answer))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def model_flops(config: Any, prompt: int, answer: int) -> int:
    """The FLOPs of a T5 in one step of training on an example without padding: three times the forward pass, in which a
    multiplication and an addition count as 2.

    With inner = heads * d_kv, p tokens of the prompt and a of the answer, attention of q queries to k keys takes
    4 * (q + k) * d_model * inner for its projections and 4 * q * k * inner for scores and values; a feed-forward layer
    takes 2 * m * d_model * d_ff for each token, where m is 2, or 3 if it is gated. A layer of the encoder has attention
    (p, p) and p tokens; a layer of the decoder has attention (a, a) and (a, p), and a tokens; the output layer takes
    2 * a * d_model * vocabulary. So tokens of the prompt do not count in the decoder, except as keys.
    """
    inner, width = config.num_heads * config.d_kv, config.d_model

    def attention(queries: int, keys: int) -> int:
        return 4 * (queries + keys) * width * inner + 4 * queries * keys * inner

    feed_forward = 2 * (3 if config.is_gated_act else 2) * width * config.d_ff
    encoder = config.num_layers * (attention(prompt, prompt) + prompt * feed_forward)
    decoder = config.num_decoder_layers * (
        attention(answer, answer) + attention(answer, prompt) + answer * feed_forward
    )
    return 3 * (encoder + decoder + 2 * answer * width * config.vocab_size)


class Clock(transformers.TrainerCallback):
    """Records when each optimizer step was done: by the clock on a GPU, by CPU time on a CPU."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter() if torch.cuda.is_available() else time.process_time())


def original(loaded: LoadedModel, rows: list[Row], said: Said, batch: int, out: str) -> Measured:
    """Random order, padded to the longest row of the batch."""
    per_step = max(batch, said.per_step)
    shuffled = rows[: said.steps * per_step]  # they were drawn at random
    arguments = transformers.Seq2SeqTrainingArguments(
        output_dir=out, per_device_train_batch_size=batch, gradient_accumulation_steps=per_step // batch,
        num_train_epochs=1, train_sampling_strategy="sequential", optim="adamw_torch_fused", bf16=said.bf16,
        use_cpu=not torch.cuda.is_available(), save_strategy="no", logging_strategy="no", disable_tqdm=True,
        report_to="none", dataloader_pin_memory=False,
    )  # fmt: skip
    clock = Clock()
    trainer = transformers.Seq2SeqTrainer(
        model=loaded.model,
        args=arguments,
        train_dataset=[
            {"input_ids": row.tokens[: row.prompt].tolist(), "labels": row.tokens[row.prompt :].tolist()}
            for row in shuffled
        ],
        data_collator=transformers.DataCollatorForSeq2Seq(loaded.tokenizer, model=loaded.model),
        callbacks=[clock],
    )
    batches = [shuffled[k : k + batch] for k in range(0, len(shuffled), batch)]
    computed = sum(len(some) * (max(row.prompt for row in some) + max(row.trained for row in some)) for some in batches)
    steps = [shuffled[k : k + per_step] for k in range(0, len(shuffled), per_step)]
    return _timed(trainer.train, clock, loaded, steps, computed)


def ours(loaded: LoadedModel, rows: list[Row], said: Said, batch: int, out: str) -> Measured:
    """Batches of similar length; steps of equally many useful tokens."""
    mean = sum(len(row.tokens) for row in rows) / len(rows)
    config = TrainConfig(
        model="bench", data=Path("bench"), out=Path(out), bf16=said.bf16, max_length=LONGEST,
        batch_tokens=round(max(batch, said.per_step) * mean),
    )  # fmt: skip
    whole = make_plan(rows, "seq2seq", config)
    plan = replace(whole, packs=whole.packs[: said.steps * whole.per_step])
    clock = Clock()
    trainer = make_trainer(loaded, Batches(rows, plan, loaded, False), config, Path(out), lambda step: None)
    trainer.add_callback(clock)
    steps = [[rows[k] for pack in plan.of_step(step) for k in pack.rows] for step in range(plan.steps)]
    return _timed(trainer.train, clock, loaded, steps, plan.tokens)


def _timed(
    train: Callable[[], Any], clock: Clock, loaded: LoadedModel, steps: list[list[Row]], computed: int
) -> Measured:
    """Train, and measure all steps but the first. `steps`: the rows of each; `computed`: the tokens, padding included,
    of all."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    train()
    seconds = clock.times[-1] - clock.times[0]
    memory = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    timed = [row for step in steps[1 : len(clock.times)] for row in step]
    useful = sum(len(row.tokens) for row in timed)
    flops = sum(model_flops(loaded.model.config, row.prompt, row.trained) for row in timed)
    padding = 1 - sum(len(row.tokens) for step in steps for row in step) / computed
    return Measured(useful / seconds, flops / seconds, padding, seconds, memory)


def main() -> None:
    """Both arms for each batch size, one after the other, on fresh models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", default="2,16", help="batch sizes of the original")
    parser.add_argument("--steps", type=int, default=5, help="optimizer steps; the first is not counted")
    parser.add_argument("--per-step", type=int, default=16, help="examples per optimizer step")
    parser.add_argument("--model", help="a model name or folder; by default a small T5 with random weights")
    parser.add_argument("--bf16", action="store_true")
    said = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU here: the share of a card's peak and its memory are not applicable", flush=True)
    for batch in map(int, said.batches.split(",")):
        found = {}
        for name, arm in (("original", original), ("ours", ours)):
            loaded = load(said.model or SMALL)
            rows = examples(EXAMPLES, min(384, loaded.model.config.vocab_size))
            with tempfile.TemporaryDirectory() as out:
                found[name] = arm(loaded, rows, Said(said.steps, said.per_step, said.bf16), batch, out)
            _print(f"batch {batch:>2} {name:<8}", found[name])
        print(f"batch {batch:>2} ours / original: {found['ours'].rate / found['original'].rate:.2f}", flush=True)


def _print(name: str, measured: Measured) -> None:
    unit = "s" if torch.cuda.is_available() else "CPU-s"
    rate = f"{measured.rate:,.0f} useful tokens/{unit}"
    line = f"{name}: {rate}, {measured.padding:.1%} padding, {measured.seconds:,.0f} {unit}"
    if torch.cuda.is_available():
        line += f", {_share_of_peak(measured.flops, torch.cuda.get_device_name())}, {measured.memory / 2**30:.1f} GiB"
    print(line, flush=True)


def _share_of_peak(flops: float, card: str) -> str:
    peak = next((peak for part, peak in PEAKS.items() if part in card), None)
    if peak is None:
        return f"{flops / 1e12:,.1f} TFLOP/s on {card}, whose peak this script does not know"
    return f"{flops / 1e12:,.1f} TFLOP/s of the model, {flops / peak:.1%} of {card}'s {peak / 1e12:,.0f} in bfloat16"


if __name__ == "__main__":
    main()
