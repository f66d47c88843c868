"""Command lines written for transformers 4, translated to transformers 5, with one line for each translation.

    translate(["--evaluation_strategy", "steps", "--no_cuda"])
        ->  (["--eval_strategy", "steps", "--use_cpu"], ["--evaluation_strategy is now --eval_strategy", …])

The meaning of a flag is kept where possible. A flag for something that no longer exists is accepted, and the line says
why it has no effect. An unknown flag is left for the parser to refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symtune.types import InputError

# Old flag -> the current flag with the same meaning.
RENAMED = {
    "evaluation_strategy": "eval_strategy",
    "per_gpu_train_batch_size": "per_device_train_batch_size",
    "per_gpu_eval_batch_size": "per_device_eval_batch_size",
    "no_cuda": "use_cpu",
    "xpu_backend": "ddp_backend",
    "torchdynamo": "torch_compile_backend",
    "push_to_hub_model_id": "hub_model_id",
    "push_to_hub_token": "hub_token",
}

# Flag -> why it has no effect.
WITHOUT_EFFECT = {
    # from the script for extractive question answering on which the release's script was based
    "doc_stride": "inputs are cut at --max_seq_length and never split into strides",
    "n_best_size": "one answer is generated, not a list to choose from",
    "null_score_diff_threshold": "no null answer is scored",
    "version_2_with_negative": "no null answer is scored",
    # how examples are divided into batches
    "group_by_length": "the examples of a step are already sorted by length (--sort_in_step)",
    "train_sampling_strategy": "a step is a shuffled batch, whose examples are sorted by length (--sort_in_step)",
    "length_column_name": "lengths are those of the tokens",
    "sortish_sampler": "the examples of a step are already sorted by length (--sort_in_step)",
    "remove_unused_columns": "only --input_column and --output_column are read",
    "label_names": "the labels are those of --output_column",
    # what would change or hide the outcome of a training
    "logging_nan_inf_filter": "a training whose loss is not a number ends with one line that says so",
    "auto_find_batch_size": "another batch is another training; raise --gradient_accumulation_steps instead",
    "ignore_data_skip": "a resumed training continues with the examples at which it stopped",
    # removed from transformers
    "fp16_backend": "mixed precision is now always that of torch",
    "half_precision_backend": "mixed precision is now always that of torch",
    "fp16_opt_level": "it was for apex, and mixed precision is now always that of torch",
    "sharded_ddp": "it was for fairscale; use --deepspeed or --fsdp",
    "fsdp_min_num_params": "give it in --fsdp_config",
    "fsdp_transformer_layer_cls_to_wrap": "give it in --fsdp_config",
    "include_inputs_for_metrics": "metrics are given predictions and gold answers",
    "push_to_hub_organization": "give --hub_model_id ORGANIZATION/NAME",
    "save_safetensors": "checkpoints are always safetensors",
    "use_legacy_prediction_loop": "there is only one prediction loop now",
    "use_mps_device": "the device is found automatically",
    "use_ipex": "its integration was removed from transformers",
    "jit_mode_eval": "its integration was removed from transformers",
    "tpu_num_cores": "TPUs are not supported here",
    "tpu_metrics_debug": "TPUs are not supported here",
    "past_index": "it was for models with a memory, which encoder-decoders are not",
    "mp_parameters": "it was for SageMaker",
    "ray_scope": "it was for hyperparameter search",
}


def arguments_of(argv: Sequence[str]) -> list[str]:
    """The command line, or, if it is a single JSON file, the flags in that file. Raises InputError."""
    launched = [word for word in argv if re.fullmatch("--local[_-]rank=-?[0-9]+", word)]  # deepspeed's launcher adds it
    said_by_user = [word for word in argv if word not in launched]
    if len(said_by_user) != 1 or not said_by_user[0].endswith(".json"):
        return list(argv)
    path = Path(said_by_user[0])
    try:
        said = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; wanted a JSON object of arguments") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not isinstance(said, dict):
        raise InputError(f"{path}: got a JSON {type(said).__name__}, wanted an object of arguments")
    flags = launched
    for name, value in said.items():
        if value is not None:
            flags += [f"--{name}", *_texts(value)]
    return flags


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [json.dumps(value) if isinstance(value, dict) else str(value)]


def names_in(argv: Sequence[str]) -> set[str]:
    """The names of the flags in a command line."""
    return {name for name, _ in _split(argv) if name}


def translate(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command line for transformers 5, and the lines to print about it. Raises InputError for a flag that is given
    twice, by its old and its new name.
    """
    given = names_in(argv)
    words: list[str] = []
    notes: list[str] = []
    for name, values in _split(argv):
        new = RENAMED.get(name)
        if new:
            if new in given:
                raise InputError(f"--{name} is now --{new}, and both are given; give only --{new}")
            notes.append(f"--{name} is now --{new}")
            words += [f"--{new}", *values]
        elif name in _TRANSLATED:
            flags, note = _TRANSLATED[name](values, given)
            words += flags
            notes.append(note)
        elif name in WITHOUT_EFFECT:
            notes.append(f"--{name} has no effect: {WITHOUT_EFFECT[name]}")
        else:
            words += [f"--{name}", *values] if name else values
    return words, notes


def _split(argv: Sequence[str]) -> list[tuple[str, list[str]]]:
    """(name, values) of each flag; values before the first flag have the name ""."""
    found: list[tuple[str, list[str]]] = []
    for word in argv:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            found.append((name.replace("-", "_"), [value] if equals else []))
        elif found:
            found[-1][1].append(word)
        else:
            found.append(("", [word]))
    return found


def _true(values: Sequence[str]) -> bool:
    return not values or values[0].lower() in ("true", "1", "yes", "y", "t")


def _warmup_ratio(values: Sequence[str], given: set[str]) -> tuple[list[str], str]:
    try:
        ratio = float(values[0])
    except (IndexError, ValueError):
        raise InputError(f"--warmup_ratio {' '.join(values)}: wanted a number from 0 to below 1") from None
    if not 0 <= ratio < 1:
        raise InputError(f"--warmup_ratio {ratio}: wanted a number from 0 to below 1")
    if "warmup_steps" in given:
        return [], "--warmup_ratio is ignored beside --warmup_steps"
    return ["--warmup_steps", str(ratio)], "--warmup_ratio is now --warmup_steps below 1"


def _adafactor(values: Sequence[str], given: set[str]) -> tuple[list[str], str]:
    return (["--optim", "adafactor"] if _true(values) else []), "--adafactor is now --optim adafactor"


def _logging_dir(values: Sequence[str], given: set[str]) -> tuple[list[str], str]:
    return ["--tensorboard_dir", *values], "--logging_dir is the variable TENSORBOARD_LOGGING_DIR now, and is set"


_TRANSLATED = {"warmup_ratio": _warmup_ratio, "adafactor": _adafactor, "logging_dir": _logging_dir}
