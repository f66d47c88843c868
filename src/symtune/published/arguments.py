"""The arguments of `train_model.py`: those of the release, ours, and those of `Seq2SeqTrainingArguments`.

model, data, training, notes = parse(["--model_name_or_path", "google/flan-t5-large", "--output_dir", "out"])
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import torch
import transformers
from tqdm import tqdm

from symtune.published.bounds import check_training
from symtune.published.flags import RENAMED, WITHOUT_EFFECT, arguments_of, names_in, translate
from symtune.published.scores import NAMES, score_by
from symtune.training.group import leave_group
from symtune.types import InputError, SymtuneError, UnknownName, need


def _field(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass
class ModelArguments:
    """Which model."""

    model_name_or_path: str = field(metadata={"help": "A model folder, or its name on the hub."})
    config_name: str | None = _field(None, "The config, if not that of the model.")
    tokenizer_name: str | None = _field(None, "The tokenizer, if not that of the model.")
    cache_dir: str | None = _field(None, "Where downloads from the hub are kept.")
    use_fast_tokenizer: bool = _field(True, "Use the tokenizers library.")
    model_revision: str = _field("main", "A branch, tag or commit of the model.")
    use_auth_token: bool = _field(False, "Use the token of `hf auth login`.")
    dropout_rate: float = _field(0.05, "Dropout. The release silently sets 0.05; -1 keeps the model's.")


@dataclass
class DataArguments:
    """Which data to use, and how to read it."""

    dataset_name: str | None = _field(None, "A data set folder, or its name on the hub.")
    input_column: str = _field("input", "The column of the inputs.")
    output_column: str = _field("output", "The column of the answers.")
    eval_func: str | None = _field(None, f"The metric of --predict_with_generate: {', '.join(NAMES)}.")
    train_file: str | None = _field(None, "A json, jsonl, csv or parquet file to train on.")
    validation_file: str | None = _field(None, "A file to evaluate on.")
    test_file: str | None = _field(None, "A file to predict on.")
    overwrite_cache: bool = _field(False, "Tokenize again.")
    preprocessing_num_workers: int | None = _field(None, "The number of processes that tokenize.")
    max_seq_length: int = _field(1024, "Longer inputs are cut, in tokens.")
    max_answer_length: int = _field(30, "Longer answers are cut, in tokens.")
    val_max_answer_length: int | None = _field(None, "The same for validation and test.")
    pad_to_max_length: bool = _field(False, "Pad each input to --max_seq_length, which only costs time.")
    max_train_samples: int | None = _field(None, "Train on only the first N examples.")
    max_eval_samples: int | None = _field(None, "Evaluate on only the first N examples.")
    max_predict_samples: int | None = _field(None, "Predict only the first N examples.")
    num_beams: int | None = _field(None, "The number of beams in generation.")
    ignore_pad_token_for_loss: bool = _field(True, "Ignore the padding of answers in the loss of training.")
    sort_in_step: bool = _field(True, "Sort the examples of a step by length into micro-batches.")
    overwrite_output_dir: bool = _field(False, "Start over in an --output_dir that has checkpoints.")
    tensorboard_dir: str | None = _field(None, "Where TensorBoard's files go.")


class _Parser(transformers.HfArgumentParser):
    """Raises faults instead of printing them with a page of usage."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


FIRST_SPEAKS = 5.0  # seconds
DEFAULT_DATA = "sail/symbolic-instruction-tuning"


def parse(argv: Sequence[str]) -> tuple[ModelArguments, DataArguments, Any, list[str]]:
    """The arguments, including `Seq2SeqTrainingArguments`, and lines to print. Raises InputError and UnknownName."""
    words, notes = translate(arguments_of(argv))
    kinds = (ModelArguments, DataArguments, transformers.Seq2SeqTrainingArguments)
    model, data, training = read(
        kinds, _on_this_machine(words), "train_model.py", "Train an encoder-decoder on inputs and outputs."
    )
    check_training(model, data, training)
    _complete(data, training, notes)
    return model, data, training, notes


def read(kinds: Sequence[Any], words: Sequence[str], program: str, description: str) -> tuple[Any, ...]:
    """The arguments of these dataclasses. Raises InputError, and UnknownName for an argument that none of them has."""
    parser = _Parser(list(kinds), prog=program, description=description, allow_abbrev=False)
    try:
        *found, rest = parser.parse_args_into_dataclasses(
            list(words), return_remaining_strings=True, look_for_args_file=False
        )
    except (ValueError, TypeError, ImportError, OSError, RuntimeError) as error:
        raise InputError(" ".join(str(error).split())) from None
    if rest:
        known = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
        known |= {f"--{name}" for name in (*RENAMED, *WITHOUT_EFFECT)} if len(kinds) > 1 else set()
        raise UnknownName("argument", rest[0].partition("=")[0], known)
    return tuple(found)


def exit_status(program: str, run: Callable[[Sequence[str]], Any], argv: Sequence[str] | None) -> int:
    """Run a script on its arguments, by default those of the command line, and return 0, or 2 after a fault that a user
    can mend, which is printed as one line, or 130 after Ctrl-C."""
    status = _status(program, run, sys.argv[1:] if argv is None else argv)
    leave_group(status)
    return status


def _status(program: str, run: Callable[[Sequence[str]], Any], argv: Sequence[str]) -> int:
    try:
        run(argv)
    except (SymtuneError, OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not (isinstance(error, torch.OutOfMemoryError) or _lost(error)):
            raise
        _await_first()
        _end_bars()
        print(f"{program}: {' '.join(_in_words(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        _end_bars()
        print(f"{program}: interrupted; complete checkpoints are kept", file=sys.stderr)
        return 130
    return 0


def _await_first() -> None:
    """Of several processes the first one speaks, since most faults are common to all, and the launcher ends the others
    as soon as one has ended. Another process speaks only if the first has no fault.
    """
    if os.environ.get("RANK", "0") != "0":
        time.sleep(FIRST_SPEAKS)


def _lost(error: RuntimeError) -> bool:
    """Whether another process of the group has ended, with a fault that it says itself."""
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error)


def _end_bars() -> None:
    """Close the progress bars that the fault left open, so that what is said about it begins a line."""
    for bar in list(getattr(tqdm, "_instances", ())):
        bar.close()


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, torch.OutOfMemoryError):
        device = str(error).split(".")[0]
        return f"{device}: lower the batch size (and raise --gradient_accumulation_steps as much), or the lengths"
    if isinstance(error, RuntimeError):
        return f"process {os.environ.get('RANK', '0')} has lost another process, which has ended"
    return str(error) or type(error).__name__


def share_cores() -> None:
    """Divide the cores among the processes of this machine, where neither the user nor the launcher has: torchrun and
    accelerate do, deepspeed does not, and processes that compute on the same cores wait for one another.
    """
    processes = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("LOCAL_SIZE") or 1)
    if processes > 1 and not os.environ.get("OMP_NUM_THREADS"):
        threads = max(1, (os.cpu_count() or 1) // processes)
        os.environ["OMP_NUM_THREADS"] = str(threads)
        torch.set_num_threads(threads)


def _on_this_machine(words: list[str]) -> list[str]:
    """Use the CPU if there is no GPU, without the user having to set a variable."""
    if torch.cuda.is_available():
        return words
    given = names_in(words)
    if "deepspeed" in given:
        # On a CPU, deepspeed would first compile its own communication over shared memory; torch's gloo is sufficient.
        need("deepspeed", "published", "--deepspeed").ops.__compatible_ops__["deepspeed_shm_comm"] = False
    return words if "use_cpu" in given else [*words, "--use_cpu"]


def _complete(data: DataArguments, training: Any, notes: list[str]) -> None:
    """Set defaults that depend on other arguments, and report faults that can be found before anything is loaded."""
    files = (data.train_file, data.validation_file, data.test_file)
    if data.dataset_name is None and not any(files):
        data.dataset_name = DEFAULT_DATA
    if data.val_max_answer_length is None:
        data.val_max_answer_length = data.max_answer_length
    if training.generation_max_length is None:
        training.generation_max_length = data.val_max_answer_length
    if training.ddp_find_unused_parameters is None:
        training.ddp_find_unused_parameters = False  # every parameter is used, and looking for others costs time
    training.logging_nan_inf_filter = False  # it would log the mean of earlier losses in place of one that is nan
    if data.num_beams is not None:
        training.generation_num_beams = data.num_beams
    if data.eval_func is not None:
        score_by(data.eval_func)
        if not training.predict_with_generate:
            notes.append("--eval_func does nothing without --predict_with_generate: only the loss is measured")
    if training.do_predict and not training.predict_with_generate:
        notes.append("--do_predict only measures the loss; with --predict_with_generate it writes what the model says")
    if not (training.do_train or training.do_eval or training.do_predict):
        raise InputError("there is nothing to do: give --do_train, --do_eval or --do_predict")
    if training.deepspeed and "RANK" not in os.environ:
        raise InputError("--deepspeed needs a launcher: deepspeed train_model.py …, or torchrun train_model.py …")
    if training.deepspeed and not training.do_train and not training.hf_deepspeed_config.is_zero3():
        raise InputError("--deepspeed without --do_train: only ZeRO stage 3 divides a model; leave --deepspeed out")
    if training.output_dir is None:
        raise InputError("--output_dir is missing: give the folder for checkpoints and the model")
    if data.pad_to_max_length:
        notes.append("--pad_to_max_length only costs time: padding is ignored by attention and loss")
    if data.tensorboard_dir:
        os.environ["TENSORBOARD_LOGGING_DIR"] = data.tensorboard_dir
