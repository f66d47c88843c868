"""train_model.py: metrics by name, the loss of an evaluation, what is scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from published_toy import launched, speaking, torchrun, words
from symtune.published import train as published
from symtune.published.scores import NAMES, score_by

pytestmark = pytest.mark.usefixtures("one_thread")

PAIRS = [
    ("get_denotation_accuracy", "Athens, 1896", "1896, athens", 1.0),
    ("get_denotation_accuracy", "The answer is 5", "5", 0.0),
    ("get_exact_match", "YES", "yes", 1.0),
    ("get_exact_match_option", "b", "(B)", 1.0),
    ("wtq", "5.0", "5", 1.0),
    ("denotation", "1,000", "1000", 1.0),
    ("exact_match", "a | b", "a | b", 1.0),
    ("option_match", "The answer is (B).", "(B)", 1.0),
]


@pytest.mark.parametrize(("name", "text", "gold", "score"), PAIRS)
def test_metrics_by_name(name: str, text: str, gold: str, score: float) -> None:
    assert score_by(name)(text, gold) == score
    assert score_by(name)("no idea", gold) == 0.0


def test_every_metric_can_be_named() -> None:
    assert {name for name, *_ in PAIRS} == set(NAMES)


EVALUATE = ["--do_eval", "--do_predict", "--generation_max_length", "9"]
SAY = ["--predict_with_generate", "--eval_func", "exact_match"]


@pytest.fixture(scope="module")
def evaluated(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A model that speaks; the metrics and the predictions of one process, one example at a time."""
    folder = tmp_path_factory.mktemp("evaluated")
    model = speaking(folder / "model")
    more = ["--model_name_or_path", str(model), "--per_device_eval_batch_size", "1"]
    metrics = published.run([*words(toy, folder / "out", base=[*EVALUATE, *SAY]), *more])
    return model, metrics, (folder / "out" / "predictions.jsonl").read_text()


def test_an_evaluation_is_the_mean_over_answer_tokens_and_scores_what_is_written(
    toy: Path, evaluated: tuple[Path, dict[str, Any], str]
) -> None:
    """The loss is computed here from the model alone, and the answers are the model's own, in the file's order."""
    from symtune.published.arguments import ModelArguments
    from symtune.published.model import load_model

    path, metrics, predictions = evaluated
    model, tokenizer = load_model(ModelArguments(str(path), dropout_rate=-1), print)
    summed, tokens, written = 0.0, 0, []
    lines = map(json.loads, (toy / "data" / "test" / "wtq_tapex_large.json").read_text().splitlines())
    for line in lines:
        inputs, labels = (tokenizer(line[name], return_tensors="pt") for name in ("input", "output"))
        with torch.no_grad():
            summed += model.eval()(**inputs, labels=labels["input_ids"]).loss.item() * labels["input_ids"].shape[1]
        tokens += labels["input_ids"].shape[1]
        answer = tokenizer.decode(model.generate(**inputs, max_length=9)[0], skip_special_tokens=True)
        written.append({"prediction": answer, "ground_truth": line["output"]})
    assert metrics["predict_loss"] == pytest.approx(summed / tokens, rel=1e-5)
    assert [json.loads(line) for line in predictions.splitlines()] == written
    assert len({line["prediction"] for line in written}) > 2
    assert {"eval_loss", "eval_exact_match", "predict_exact_match_high"} <= set(metrics)


@pytest.mark.parametrize("base", [EVALUATE, [*EVALUATE, *SAY]], ids=["loss", "answers"])
def test_batches_do_not_change_an_evaluation(
    base: list[str], toy: Path, tmp_path: Path, evaluated: tuple[Path, dict[str, Any], str]
) -> None:
    model, metrics, predictions = evaluated
    more = ["--model_name_or_path", str(model), "--per_device_eval_batch_size", "3"]
    found = published.run([*words(toy, tmp_path / "out", base=base), *more])
    for name in ("eval_loss", "predict_loss"):
        assert found[name] == pytest.approx(metrics[name], rel=1e-5)
    assert base is EVALUATE or (tmp_path / "out" / "predictions.jsonl").read_text() == predictions


@pytest.mark.xdist_group("processes")
def test_two_processes_evaluate_as_one(toy: Path, tmp_path: Path, evaluated: tuple[Path, dict[str, Any], str]) -> None:
    """Five rows in batches of two: the last batches are filled up, which changes nothing."""
    model, metrics, predictions = evaluated
    more = ["--model_name_or_path", str(model), "--per_device_eval_batch_size", "2"]
    launched(*torchrun(), "train_model.py", *words(toy, tmp_path / "out", base=[*EVALUATE, *SAY]), *more)
    found = json.loads((tmp_path / "out" / "all_results.json").read_text())
    assert (tmp_path / "out" / "predictions.jsonl").read_text() == predictions
    for name in ("eval_loss", "predict_loss"):
        assert found[name] == pytest.approx(metrics[name], rel=1e-5)
    same = ("eval_samples", "eval_exact_match", "predict_exact_match", "predict_exact_match_high")
    assert [found[name] for name in same] == [metrics[name] for name in same]
