"""`train_model.py`: the release's training command, on current transformers, accelerate and deepspeed.

main(["--model_name_or_path", "google/flan-t5-large", "--dataset_name", "DIR", "--do_train", "--output_dir", "out"])
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import transformers

from symtune.output import check_place, new_file, versions, write_manifest
from symtune.published.arguments import exit_status, parse, share_cores
from symtune.published.data import Encoded, Reading, encode
from symtune.published.model import load_model, longest_input
from symtune.published.rows import open_splits, split_of
from symtune.published.steps import Evaluated, Padding, Shape, Steps
from symtune.published.trainer import GoldScores, Passes, StepTrainer
from symtune.training import checkpoints
from symtune.types import InputError, OutputError

Say = Callable[[str], None]

# Arguments that determine the outcome of the training to the last bit, besides model, data and the sizes of a step.
DECISIVE = (
    "learning_rate", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm", "max_steps",
    "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "seed", "data_seed", "bf16", "fp16",
    "label_smoothing_factor", "optim", "optim_args", "per_device_train_batch_size", "gradient_accumulation_steps",
    "gradient_checkpointing",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; a user error is one line and exit status 2."""
    return exit_status("train_model.py", run, argv)


def run(argv: Sequence[str]) -> dict[str, Any]:
    """Train, evaluate and predict as the arguments say. Returns the metrics. Raises SymtuneError."""
    share_cores()
    model_arguments, arguments, training, notes = parse(argv)
    _one_gpu_a_process(training)
    first = training.process_index == 0

    def say(line: str) -> None:
        if first:
            print(f"train_model.py: {line}", file=sys.stderr, flush=True)

    for note in notes:
        say(note)
    checkpoint = _checkpoint(arguments, training, say)
    transformers.set_seed(training.seed)
    with training.main_process_first(desc="reading the data"):
        splits = _read(arguments, training, model_arguments)  # before the model, which may take minutes to load
    model, tokenizer = load_model(model_arguments, say)
    _within(arguments, model, say)
    with training.main_process_first(desc="tokens"):
        parts = {split: _encoded(split, rows, arguments, tokenizer, say) for split, rows in splits.items()}
    trainer = _trainer(model, tokenizer, arguments, training, parts, model_arguments)
    metrics: dict[str, Any] = {}
    if training.do_train:
        _check_same(checkpoint, trainer.training or {})
        metrics |= _train(trainer, checkpoint)
    if training.do_eval:
        metrics |= _evaluate(trainer, parts["validation"])
    if training.do_predict:
        metrics |= _predict(trainer, parts["test"], arguments, Path(training.output_dir))
    if first:
        _write_manifest(Path(training.output_dir), argv, arguments, model_arguments, trainer, parts, metrics)
    if training.push_to_hub:
        trainer.push_to_hub(finetuned_from=model_arguments.model_name_or_path)
    return metrics


def _one_gpu_a_process(training: Any) -> None:
    if training.world_size == 1:
        training._n_gpu = min(1, training.n_gpu)  # no DataParallel: several GPUs are left to launchers


# ---------------------------------------------------------------------------------------------------------- resuming


def _checkpoint(arguments: Any, training: Any, say: Say) -> Path | None:
    """The checkpoint to resume from. Raises InputError or OutputError if the output folder cannot be used."""
    out = Path(training.output_dir)
    if out.exists() and not (out.is_dir() and os.access(out, os.W_OK | os.X_OK)):
        raise OutputError(
            f"--output_dir {out}: {'no permission to write' if out.is_dir() else 'a file, wanted a folder'}"
        )
    check_place(out)
    named = training.resume_from_checkpoint
    if not training.do_train:
        return None
    if named and str(named).lower() not in ("true", "1"):
        checkpoint = Path(named)
        if not checkpoint.is_dir():
            raise InputError(f"--resume_from_checkpoint {named}: no such folder")
        wrong = checkpoints.fault(checkpoint)
        if wrong:
            raise InputError(f"--resume_from_checkpoint {named}: incomplete ({wrong})")
        return _resumable(checkpoint)
    if arguments.overwrite_output_dir or not out.is_dir():
        return None
    found = checkpoints.newest_complete(out, say)
    if found is None and any(path for path in out.iterdir() if not path.name.startswith(checkpoints.PREFIX)):
        raise OutputError(
            f"{out} holds files but no checkpoint to resume from; choose another --output_dir, or add "
            "--overwrite_output_dir"
        )
    if found is None:
        if named:
            raise InputError(f"--resume_from_checkpoint: no complete checkpoint in {out}")
        return None
    say(f"resuming from {_resumable(found)}")
    return found


def _resumable(checkpoint: Path) -> Path:
    if not any(checkpoint.rglob("*optim*")):  # optimizer.pt, or the files of deepspeed
        raise InputError(
            f"{checkpoint} holds the model alone (--save_only_model), and no training can be resumed from it; choose "
            "another --output_dir, or add --overwrite_output_dir"
        )
    return checkpoint


def _check_same(checkpoint: Path | None, training: Mapping[str, Any]) -> None:
    """Raise InputError if a checkpoint is from another training."""
    if checkpoint is None:
        return
    was, now = checkpoints.training_of(checkpoint), json.loads(json.dumps(training, default=str))
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            raise InputError(
                f"{checkpoint} is from another training ({name} was {was.get(name)}, is {now.get(name)}); use the same "
                "arguments, another --output_dir, or --overwrite_output_dir"
            )


# -------------------------------------------------------------------------------------------------------------- data


def _read(arguments: Any, training: Any, model_arguments: Any) -> dict[str, Any]:
    """The rows of the splits that are used."""
    there = open_splits(arguments, model_arguments.cache_dir, model_arguments.use_auth_token)
    wanted = {
        "train": (training.do_train, "do_train"),
        "validation": (training.do_eval or training.eval_strategy != "no", "do_eval"),
        "test": (training.do_predict, "do_predict"),
    }
    used = {split: split_of(there, split, flag) for split, (used, flag) in wanted.items() if used}
    columns = arguments.input_column, arguments.output_column
    return {split: rows.rows(columns) for split, rows in used.items()}


def _within(arguments: Any, model: Any, say: Say) -> None:
    """Lower the lengths to what the model can read."""
    most = longest_input(model)
    for name in ("max_seq_length", "max_answer_length", "val_max_answer_length"):
        if most is not None and getattr(arguments, name) > most:
            say(f"--{name} {getattr(arguments, name):,} is more than this model can read; it is lowered to {most:,}")
            setattr(arguments, name, most)


def _encoded(split: str, rows: Any, arguments: Any, tokenizer: Any, say: Say) -> Encoded:
    """A split in tokens; says what was cut."""
    limits = {"train": "max_train_samples", "validation": "max_eval_samples", "test": "max_predict_samples"}
    reading = Reading(
        arguments.input_column,
        arguments.output_column,
        arguments.max_seq_length,
        arguments.max_answer_length if split == "train" else arguments.val_max_answer_length,
        arguments.preprocessing_num_workers,
        arguments.overwrite_cache,
    )
    try:
        part = encode(rows, tokenizer, reading, getattr(arguments, limits[split]))
    except InputError as error:
        raise InputError(f"the {split} split: {error}") from None
    cut = "; ".join(f"{count:,} {what}" for what, count in part.cut.items())
    say(f"{split}: {len(part):,} rows; {cut or 'nothing cut'}")
    return part


# ---------------------------------------------------------------------------------------------------------- training


def _trainer(
    model: Any, tokenizer: Any, arguments: Any, training: Any, parts: Mapping[str, Encoded], model_arguments: Any
) -> StepTrainer:
    steps = None
    if training.do_train:
        shape = Shape(
            training.per_device_train_batch_size, training.gradient_accumulation_steps, max(1, training.world_size)
        )
        rows = len(parts["train"])
        if training.max_steps <= 0:
            whole = training.num_train_epochs * rows / shape.examples
            training.max_steps = max(1, math.floor(whole) if training.dataloader_drop_last else math.ceil(whole))
        fixed = arguments.pad_to_max_length
        padding = Padding(
            tokenizer.pad_token_id,
            not arguments.ignore_pad_token_for_loss,
            arguments.max_seq_length if fixed else None,
            arguments.max_answer_length if fixed else None,
        )
        shift = model.prepare_decoder_input_ids_from_labels
        steps = Steps(
            parts["train"],
            shape,
            training.max_steps,
            padding,
            shift,
            seed=training.seed if training.data_seed is None else training.data_seed,
            sort=arguments.sort_in_step,
        )
    evaluated, scores = None, None
    if "validation" in parts:
        evaluated = _evaluated(parts["validation"], model, tokenizer, training)
        if training.predict_with_generate and arguments.eval_func:
            scores = GoldScores(arguments.eval_func, _golds(evaluated), tokenizer)
    try:
        trainer = StepTrainer(
            model=model,
            args=training,
            train_dataset=steps,
            eval_dataset=evaluated,
            processing_class=tokenizer,
            compute_metrics=scores,
        )
    except (ValueError, ImportError, RuntimeError) as error:  # what transformers does not take together, or lacks
        raise InputError(" ".join(str(error).split())) from None
    trainer.pop_callback(transformers.trainer_callback.DefaultFlowCallback)
    if steps is not None:
        trainer.add_callback(Passes(steps.shape.examples, len(steps.encoded)))
        trainer.training = _decisive(model, parts["train"], arguments, model_arguments, training)
    return trainer


def _evaluated(part: Encoded, model: Any, tokenizer: Any, training: Any) -> Evaluated:
    """A split in the batches of an evaluation."""
    return Evaluated(
        part,
        training.per_device_eval_batch_size,
        max(1, training.world_size),
        Padding(tokenizer.pad_token_id),
        model.prepare_decoder_input_ids_from_labels,
    )


def _golds(evaluated: Evaluated) -> list[str]:
    """The gold texts in the order of the batches."""
    golds = evaluated.encoded.rows["gold"]
    return [golds[row] for row in evaluated.order]


def _decisive(model: Any, part: Encoded, arguments: Any, model_arguments: Any, training: Any) -> dict[str, Any]:
    """Everything that determines the outcome of the training; it is recorded in each checkpoint."""
    found = {name: getattr(training, name) for name in DECISIVE}
    found |= {
        "model": model_arguments.model_name_or_path,
        "dropout_rate": getattr(model.config, "dropout_rate", None),
        "data": part.digest(),
        "rows": len(part),
        "processes": max(1, training.world_size),
        "sort_in_step": arguments.sort_in_step,
        "pad_to_max_length": arguments.pad_to_max_length,
        "ignore_pad_token_for_loss": arguments.ignore_pad_token_for_loss,
        "deepspeed": _text_of(training.deepspeed),
        "versions": versions("torch", "transformers"),
    }
    return dict(json.loads(json.dumps(found, default=str)))


def _text_of(config: Any) -> Any:
    return json.loads(Path(config).read_text("utf-8")) if isinstance(config, str) and Path(config).is_file() else config


def _train(trainer: StepTrainer, checkpoint: Path | None) -> dict[str, Any]:
    out = Path(trainer.args.output_dir)
    result = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    metrics = dict(result.metrics) | {"train_samples": len(trainer.train_dataset.encoded)}
    with checkpoints.writing(out, clear=False):  # the checkpoints in it stay
        trainer.save_model()
        trainer.save_state()
    return _logged(trainer, "train", metrics)


def _logged(trainer: StepTrainer, what: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """Print the metrics, and write them to the output folder."""
    trainer.log_metrics(what, metrics)
    with checkpoints.writing(Path(trainer.args.output_dir), clear=False):
        trainer.save_metrics(what, metrics)
    return metrics


def _evaluate(trainer: StepTrainer, part: Encoded) -> dict[str, Any]:
    return _logged(trainer, "eval", dict(trainer.evaluate(metric_key_prefix="eval")) | {"eval_samples": len(part)})


def _predict(trainer: StepTrainer, part: Encoded, arguments: Any, out: Path) -> dict[str, Any]:
    """Predict the test split, and write `predictions.jsonl` in its order."""
    written = trainer.args.predict_with_generate
    evaluated = _evaluated(part, trainer.model, trainer.processing_class, trainer.args)
    scores = GoldScores(arguments.eval_func, _golds(evaluated), trainer.processing_class) if written else None
    trainer.compute_metrics = scores
    metrics = dict(trainer.predict(evaluated, metric_key_prefix="predict").metrics or {})
    metrics = _logged(trainer, "predict", metrics | {"predict_samples": len(part)})
    if scores is not None and trainer.is_world_process_zero():
        pairs = sorted(zip(evaluated.order, scores.texts, scores.golds, strict=True))
        with new_file(out / "predictions.jsonl") as temporary, temporary.open("w", encoding="utf-8") as stream:
            for _, text, gold in pairs:
                line = {"prediction": text, "ground_truth": gold}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    return metrics


def _write_manifest(
    out: Path,
    argv: Sequence[str],
    arguments: Any,
    model_arguments: Any,
    trainer: StepTrainer,
    parts: Mapping[str, Encoded],
    metrics: Mapping[str, Any],
) -> None:
    body = {
        "training": trainer.training,
        "rows": {split: len(part) for split, part in parts.items()},
        "cut": {split: dict(part.cut) for split, part in parts.items()},
        "metrics": dict(metrics),
        "versions": versions("torch", "transformers", "accelerate", "deepspeed", "datasets"),
    }
    said = {"argv": list(argv), "model": vars(model_arguments), "data": vars(arguments)}
    with checkpoints.writing(out, clear=False):
        out.mkdir(parents=True, exist_ok=True)
        write_manifest(out, "train_model", said, body, {"processes": int(os.environ.get("WORLD_SIZE", "1"))})


if __name__ == "__main__":  # started this way by launchers
    sys.exit(main())
