"""train_model.py: the loss of a step, whatever its micro-batches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from published_toy import one_step, step_words
from symtune.published import train as published
from symtune.published.arguments import parse

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPES = [
    pytest.param(("2", "4", "False"), id="2x4"),
    pytest.param(("2", "4", "True"), id="2x4-sorted"),
    pytest.param(("4", "2", "True", "--pad_to_max_length", "--max_seq_length", "120"), id="4x2-padded"),
]


@pytest.fixture(scope="module")
def eight_by_one(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    out = tmp_path_factory.mktemp("step") / "out"
    published.run(step_words(toy, out, "8", "1", "False"))
    return one_step(out)


def test_the_loss_of_a_step_is_the_mean_over_its_answer_tokens(
    toy: Path, tmp_path: Path, eight_by_one: tuple[float, float]
) -> None:
    """Computed here from the model alone, with the loss of transformers on the eight examples in one batch."""
    from symtune.published.data import Reading, encode
    from symtune.published.model import load_model
    from symtune.published.rows import open_splits
    from symtune.published.steps import _order

    model_arguments, arguments, training, _ = parse(step_words(toy, tmp_path, "8", "1", "False"))
    model, tokenizer = load_model(model_arguments, print)
    part = encode(
        open_splits(arguments)["train"].rows(("input", "output")), tokenizer, Reading("input", "output", 2048, 128)
    )
    step = [part.rows[k] for k in _order(training.seed, 0, len(part))[:8]]
    width, long = max(len(row["input_ids"]) for row in step), max(len(row["labels"]) for row in step)
    ids = torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in step])
    labels = torch.tensor([row["labels"] + [-100] * (long - len(row["labels"])) for row in step])
    loss = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    assert eight_by_one == pytest.approx((loss.item(), norm.item()), rel=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_micro_batches_do_not_change_the_step(
    shape: tuple[str, ...], toy: Path, tmp_path: Path, eight_by_one: tuple[float, float]
) -> None:
    published.run(step_words(toy, tmp_path / "out", *shape))
    assert one_step(tmp_path / "out") == pytest.approx(eight_by_one, rel=1e-5)


def test_padding_of_answers_bears_a_loss_where_that_is_asked(toy: Path, tmp_path: Path) -> None:
    """In one batch, as many tokens count as the longest answer has, times the number of examples."""
    found = []
    for ignored in ("True", "False"):
        out = tmp_path / ignored
        published.run(step_words(toy, out, "8", "1", "False", "--ignore_pad_token_for_loss", ignored))
        found.append(one_step(out)[0])
    assert found[0] != pytest.approx(found[1], rel=1e-3)
