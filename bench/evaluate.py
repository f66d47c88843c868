"""CPU time of evaluation against plain ways to ask the same model, on questions of WikiTableQuestions.

    python bench/evaluate.py --data WikiTableQuestions [--n 200] [--part causal|padding] [--threads 2]

causal    the packaged model: `LocalModel.generate` against transformers' `generate`, a prompt at a time
padding   small encoder-decoders (T5 with random weights: one smaller than t5-small, and one of its shape; float32, at
          most 8 new tokens, at most 8 prompts a batch) against batches of 8 in the order of the file: all prompts
          padded to 2,048 tokens, with a mask and (as the paper's script does, which then reads its padding) without
          one, and each batch padded to its longest prompt

All arms of a part use the same loaded model, dtype, attention and stops. Loading, conversion and making the prompts are
excluded; tokenizing them is not. CPU time is that of all threads, and the arms take turns batch by batch, since both
swing on shared machines. Answers are compared token by token. Where one differs, the gap between the logits of the two
tokens, read with the prompt alone, says whether it was a near-tie: rounding in another order then decides.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

# isort: off
from symtune.models.local import memory  # before torch: the package says how torch's threads wait for one another

# isort: on
import torch
import transformers

from symtune.evaluation import Asking, prepare
from symtune.models.local import LoadedModel, LocalModel, end_ids, generation, load, prompt_ids, quiet

PACKAGED = "smollm2-135m-instruct-gguf"
SMALL: tuple[dict[str, int], ...] = (
    {"d_model": 256, "d_kv": 64, "d_ff": 1024, "num_layers": 4, "num_heads": 4},
    {"d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8},  # t5-small
)
LONGEST, ROWS, NEW = 2048, 8, 8  # of the encoder-decoder: tokens of a prompt, prompts of a batch, tokens of an answer
NEAR = 0.5  # logits: four steps of bfloat16 between 16 and 32

Tokens = list[int]


class Arm:
    """A way to answer: its CPU seconds, and its answers by index."""

    def __init__(self, name: str) -> None:
        self.name, self.seconds, self.answers = name, 0.0, dict[int, Tokens]()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Count the CPU seconds of the block."""
        start = time.process_time()
        with memory.kept():  # as evaluation does
            yield
        self.seconds += time.process_time() - start


def cut(ids: Sequence[int], stops: Sequence[int]) -> Tokens:
    """An answer up to its end token, that included."""
    end = next((place for place, token in enumerate(ids) if token in stops), len(ids))
    return list(ids[: end + 1])


def generate(model: LocalModel, new: int, ids: Sequence[Tokens], width: int, *, masked: bool = True) -> list[Tokens]:
    """The answers of transformers' `generate` to prompts padded to `width`: at the left for a causal model."""
    loaded, pad = model.loaded, model.loaded.tokenizer.pad_token_id
    left = loaded.kind == "causal"
    gaps = [[pad] * (width - len(row)) for row in ids]
    rows = [[*gap, *row] if left else [*row, *gap] for gap, row in zip(gaps, ids, strict=True)]
    mask = [[0] * len(gap) + [1] * len(row) if left else [1] * len(row) + [0] * len(gap)
            for gap, row in zip(gaps, ids, strict=True)]  # fmt: skip
    given = torch.tensor(rows)
    attention = torch.tensor(mask) if masked else torch.ones_like(given)
    with quiet(), torch.inference_mode():
        written = model._model.generate(
            input_ids=given, attention_mask=attention, generation_config=model._settings(new)
        )
    stops = end_ids(loaded)
    return [cut(row, stops) for row in written[:, width if left else 1 :].tolist()]


def ours(model: LocalModel, prompts: Sequence[str], new: int, arm: Arm) -> Iterator[int]:
    """Answer with `LocalModel.generate`, and give each index as it comes."""
    written: dict[tuple[int, ...], Tokens] = {}
    write, stops = generation.write, end_ids(model.loaded)

    def recording(loaded: LoadedModel, *rest: Any) -> list[Tokens]:
        found = write(loaded, *rest)
        written.update((tuple(row), cut(ids, stops)) for row, ids in zip(rest[-1], found, strict=True))
        return found

    with mock.patch.object(generation, "write", recording):
        stream = model.generate(prompts, new)
        while True:
            with arm.at_work():
                found = next(stream, None)
            if found is None:
                return
            arm.answers[found[0]] = written[tuple(prompt_ids(model.loaded, prompts[found[0]]))]
            yield found[0]


def gap_of(model: LocalModel, prompt: str, one: Tokens, other: Tokens) -> float:
    """The logit of the first token that differs in `one`, less that of `other`'s, behind the prompt alone."""
    place = next(place for place in range(len(one)) if one[: place + 1] != other[: place + 1])
    ids, before = prompt_ids(model.loaded, prompt), one[:place]
    with quiet(), torch.inference_mode():
        if model.loaded.kind == "causal":
            logits = model._model(input_ids=torch.tensor([ids + before]), logits_to_keep=1).logits[0, -1]
        else:
            start = model._model.config.decoder_start_token_id
            logits = model._model(
                input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[start, *before]])
            ).logits[0, -1]
    return float(logits[one[place]].float() - logits[other[place]].float())


def compare(model: LocalModel, prompts: Sequence[str], arm: Arm, plain: Arm) -> None:
    """Print how many answers differ, and by what."""
    gaps = [
        gap_of(model, prompts[index], plain.answers[index], arm.answers[index])
        for index in sorted(arm.answers)
        if arm.answers[index] != plain.answers[index]
    ]
    near = sum(1 for gap in gaps if abs(gap) <= NEAR)
    distinct = len({tuple(answer) for answer in plain.answers.values()})
    print(
        f"answers other than those of {plain.name} ({distinct} distinct): {len(gaps)} of {len(prompts)}, "
        f"{near} of them near-ties (within {NEAR} logits)"
    )
    if gaps:
        print(f"  the gaps: {', '.join(f'{gap:.3f}' for gap in sorted(gaps))}")


def questions(data: Path, n: int, model: LocalModel, new: int) -> list[str]:
    """Prompts of WikiTableQuestions' validation questions."""
    exam = prepare(Asking(benchmark="wikitablequestions", limit=n, max_new_tokens=new), data)
    return [prompt.text for prompt in exam.prompts(model)]


def describe(model: LocalModel, prompts: Sequence[str], new: int) -> None:
    lengths = sorted(model.measure(prompt) for prompt in prompts)
    facts = model.facts()
    print(
        f"{facts['name']}, {facts['parameters']:,} parameters, {facts['dtype']}: {len(prompts)} prompts of "
        f"{lengths[0]} to {lengths[-1]:,} tokens, {sum(lengths):,} in all; at most {new} new tokens"
    )


def causal(loaded: LoadedModel, data: Path, n: int) -> None:
    """The packaged model, against a prompt at a time."""
    new = 64
    model = LocalModel(loaded)
    prompts = questions(data, n, model, new)
    describe(model, prompts, new)
    here, plain = Arm("evaluation"), Arm("plain generate")
    list(model.generate(["warm"], 2))  # makes the converted copy of the model
    for done, index in enumerate(ours(model, prompts, new, here), 1):
        with plain.at_work():
            ids = prompt_ids(loaded, prompts[index])
            (plain.answers[index],) = generate(model, new, [ids], len(ids))
        if done % 20 == 0:
            print(f"  {done}: {here.seconds:.0f} against {plain.seconds:.0f} CPU-s", flush=True)
    written = sum(map(len, plain.answers.values()))
    print(f"evaluation {here.seconds:.1f} CPU-s, plain generate {plain.seconds:.1f} ({written:,} tokens written): "
          f"{here.seconds / plain.seconds:.2f} times its time")  # fmt: skip
    compare(model, prompts, here, plain)


def padding(loaded: LoadedModel, data: Path, n: int) -> None:
    """A small encoder-decoder, against batches of the file's order that are padded."""
    # Random weights multiply the noise of bfloat16: answers could not be compared.
    model = LocalModel(loaded, batch_rows=ROWS, bf16=False)
    prompts = questions(data, n, model, NEW)
    describe(model, prompts, NEW)
    here = Arm("evaluation")
    longest, blind, dynamic = (
        Arm(f"padding to {LONGEST:,}"),
        Arm(f"padding to {LONGEST:,} without a mask"),
        Arm("dynamic padding"),
    )
    list(model.generate(["warm"], 2))
    stream = ours(model, prompts, NEW, here)

    def batch(arm: Arm, indices: list[int], width: Callable[[list[Tokens]], int], *, masked: bool = True) -> None:
        with arm.at_work():
            ids = [prompt_ids(loaded, prompts[index]) for index in indices]
            arm.answers.update(zip(indices, generate(model, NEW, ids, width(ids), masked=masked), strict=True))

    for first in range(0, len(prompts), ROWS):
        indices = list(range(first, min(first + ROWS, len(prompts))))
        for _ in indices:
            next(stream)
        batch(longest, indices, lambda ids: LONGEST)
        batch(blind, indices, lambda ids: LONGEST, masked=False)
        batch(dynamic, indices, lambda ids: max(map(len, ids)))
    print(f"evaluation {here.seconds:.1f} CPU-s")
    for arm in (longest, blind, dynamic):
        print(f"{arm.name} {arm.seconds:.1f} CPU-s: {arm.seconds / here.seconds:.2f} times that of evaluation")
    for arm in (longest, dynamic):
        compare(model, prompts, here, arm)


def small(packaged: LoadedModel, shape: dict[str, int]) -> LoadedModel:
    """A T5 of a shape with the tokenizer of the packaged model, and so its vocabulary. Its weights are random, and
    larger than they are drawn: answers then depend on the prompt.
    """
    # The folder's name would be part of the seed.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        packaged.tokenizer.save_pretrained("tokenizer")
        loaded = load({"architecture": "t5", **shape, "tokenizer": "tokenizer"})
    for parameter in loaded.model.parameters():
        parameter.data.mul_(2.0)
    return loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the release of WikiTableQuestions")
    parser.add_argument("--n", type=int, default=200, help="questions [200]")
    parser.add_argument("--part", choices=("causal", "padding"), help="[both]")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    )
    packaged = load(PACKAGED)
    if arguments.part != "padding":
        causal(packaged, arguments.data, arguments.n)
    if arguments.part != "causal":
        for shape in SMALL:
            padding(small(packaged, shape), arguments.data, arguments.n)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, all arms")


if __name__ == "__main__":
    main()
