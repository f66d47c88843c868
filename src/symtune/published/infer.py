"""`infer_model.py`: a published test file, answered by a checkpoint and scored.

    main(["--model_name", "sail/tapex-zero-large", "--data_file", "test/wtq_tapex_large.json"])

Where the release's script pads every input to 2,048 tokens, passes no attention mask and reads the gold answers back
from their tokens, batches here are of similar length, masked, and scored against the file's own texts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import accelerate
import torch
from accelerate.utils import gather_object

from symtune.intervals import score_interval
from symtune.models.local import quiet
from symtune.output import check_writable, new_file
from symtune.published.arguments import DataArguments, ModelArguments, exit_status, read, share_cores
from symtune.published.bounds import OF_INFERENCE, check
from symtune.published.model import load_model, longest_input
from symtune.published.rows import open_splits, read_rows
from symtune.published.scores import NAMES, score_by
from symtune.types import InputError, UnknownName

COLUMNS = ("input", "output")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class InferArguments:
    """The four settings that the release's script has in its code, and ours."""

    model_name: str = field(default="sail/tapex-zero-large", metadata={"help": "A checkpoint folder, or a hub name."})
    data_file: str = field(
        default="https://huggingface.co/datasets/sail/symbolic-instruction-tuning/blob/main/test/wtq_tapex_large.json",
        metadata={"help": "A file of `input` and `output`."},
    )
    batch_size: int = field(default=8, metadata={"help": "The number of inputs in a batch, in each process."})
    eval_func_name: str = field(default="get_denotation_accuracy", metadata={"help": f"One of {', '.join(NAMES)}."})
    dtype: str = field(default="float32", metadata={"help": f"One of {', '.join(DTYPES)}."})
    max_input_length: int = field(default=2048, metadata={"help": "Longer inputs are cut, in tokens."})
    max_length: int = field(default=256, metadata={"help": "The longest answer, in tokens, including its start token."})
    output_dir: str = field(default="outputs", metadata={"help": "The folder for FILE_MODEL.json."})


@dataclass(frozen=True)
class Pair:
    """A line of a test file."""

    input: str
    output: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; a user error is one line and exit status 2."""
    return exit_status("infer_model.py", run, argv)


def run(argv: Sequence[str]) -> dict[str, Any]:
    """Answer, write and score a file. Returns the score with its interval. Raises SymtuneError."""
    share_cores()
    (said,) = read([InferArguments], argv, "infer_model.py", "Answer a file of inputs with a checkpoint, and score it.")
    score = score_by(said.eval_func_name)
    if said.dtype not in DTYPES:
        raise UnknownName("dtype", said.dtype, DTYPES)
    check(OF_INFERENCE, said)
    check_writable(_output(said), overwrite=True)
    pairs = _pairs(said.data_file)
    state = accelerate.PartialState(cpu=not torch.cuda.is_available())
    first = state.is_main_process

    def say(line: str) -> None:
        if first:
            print(f"infer_model.py: {line}", file=sys.stderr, flush=True)

    arguments = ModelArguments(model_name_or_path=said.model_name, dropout_rate=-1)
    model, tokenizer = load_model(arguments, say, DTYPES[said.dtype])
    model = model.to(state.device).eval()
    longest = min(said.max_input_length, longest_input(model) or said.max_input_length)
    encoded = [_ids(tokenizer, pair.input, longest) for pair in pairs]
    cut = sum(was_cut for _, was_cut in encoded)
    shared = f"; {state.num_processes} processes" if state.num_processes > 1 else ""
    say(f"{len(pairs):,} inputs from {said.data_file}; {cut:,} cut at {longest:,} tokens{shared}")
    texts = _answers(model, tokenizer, [ids for ids, _ in encoded], said, state)
    if not first:
        return {}
    scores = [score(text, pair.output.strip()) for text, pair in zip(texts, pairs, strict=True)]
    _write(_output(said), pairs, texts)
    low, high = score_interval(scores)
    mean = sum(scores) / len(scores)
    print(
        f"Evaluating {said.model_name} on {said.data_file}, Eval func is {said.eval_func_name}, Performance is: {mean} "
        f"(95 % interval {low:.4f} to {high:.4f}, n {len(scores):,})"
    )
    return {"score": mean, "interval": (low, high), "n": len(scores), "cut": cut, "file": str(_output(said))}


def _pairs(file: str) -> list[Pair]:
    """The rows of a test file. Raises InputError."""
    if "://" in file:
        url = file.replace("/blob/", "/resolve/")
        rows = open_splits(DataArguments(dataset_name=None, test_file=url))["test"].rows(COLUMNS)
        return [_pair(row, f"{file}: row {number}") for number, row in enumerate(rows, 1)]
    if not Path(file).is_file():
        raise InputError(f"--data_file {file}: {'a folder, wanted a file' if Path(file).is_dir() else 'no such file'}")
    found = [_pair(row, where) for where, row in read_rows(Path(file), COLUMNS)]
    if not found:
        raise InputError(f"--data_file {file}: no rows in it; wanted rows of input and output")
    return found


def _pair(row: Mapping[str, str | None], where: str) -> Pair:
    text, gold = row["input"], row["output"]
    if text is None or gold is None:
        raise InputError(f"{where}: {'input' if text is None else 'output'} is null, wanted a text")
    return Pair(text, gold)


def _ids(tokenizer: Any, text: str, longest: int) -> tuple[list[int], bool]:
    ids = tokenizer(text)["input_ids"]
    if len(ids) <= longest:
        return ids, False
    return tokenizer(text, max_length=longest, truncation=True)["input_ids"], True


def _answers(model: Any, tokenizer: Any, encoded: list[list[int]], said: InferArguments, state: Any) -> list[str]:
    """What the model writes for each input, in order; each process does its share of the batches."""
    order = sorted(range(len(encoded)), key=lambda place: (-len(encoded[place]), place))
    batches = [order[start : start + said.batch_size] for start in range(0, len(order), said.batch_size)]
    mine = batches[state.process_index :: state.num_processes]
    answered = [answer for batch in mine for answer in _answered(model, tokenizer, encoded, batch, said.max_length)]
    texts = dict(gather_object(answered))
    return [texts[place] for place in range(len(encoded))]


def _answered(
    model: Any, tokenizer: Any, encoded: list[list[int]], batch: list[int], max_length: int
) -> Iterator[tuple[int, str]]:
    inputs = tokenizer.pad({"input_ids": [encoded[place] for place in batch]}, return_tensors="pt").to(model.device)
    with quiet(), torch.inference_mode():
        written = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_length=max_length,
            do_sample=False,
            num_beams=1,
        )
    texts = tokenizer.batch_decode(written.cpu(), skip_special_tokens=True)
    yield from zip(batch, [text.strip() for text in texts], strict=True)


def _output(said: InferArguments) -> Path:
    """FILE_MODEL.json, as the release names it."""
    return Path(said.output_dir) / f"{Path(said.data_file).name}_{Path(said.model_name).name}.json"


def _write(path: Path, pairs: Sequence[Pair], texts: Sequence[str]) -> None:
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        for pair, text in zip(pairs, texts, strict=True):
            line = {"input": pair.input, "prediction": text, "ground_truth": pair.output}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
