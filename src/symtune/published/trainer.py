"""`Seq2SeqTrainer` with the loss of a whole step, checkpoints that resume exactly, and scores against the gold text.

The stock trainer asks T5 for the mean loss of each micro-batch and divides by neither tokens nor accumulation (observed
with accumulation 8: a logged loss of 43.2 instead of 5.1, and a gradient norm of 18.4 instead of 3.4, so that clipping
shrinks every step). Here, the cross-entropy of all answer tokens of the step is summed over its micro-batches and
processes and divided by the number of these tokens, which is what one pass over the whole step would give.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import transformers

from symtune.intervals import score_interval
from symtune.published.scores import score_by
from symtune.training.tensors import IGNORED
from symtune.training.trainers import MarkedCheckpoints
from symtune.types import InputError


class StepTrainer(MarkedCheckpoints, transformers.Seq2SeqTrainer):
    """Trains on `Steps` and evaluates on `Evaluated`: both give whole batches."""

    loss_is_scaled_for_ga: bool | None = True  # divided by the answer tokens of the whole step
    train_dataset: Any
    compute_metrics: Any
    model: Any

    def get_train_dataloader(self) -> Any:
        """The micro-batches of all steps; each process takes its turn."""
        return self._loader(self.train_dataset)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """The batches of the split; each process takes its turn."""
        return self._loader(self.eval_dataset if eval_dataset is None else eval_dataset)

    def get_test_dataloader(self, test_dataset: Any) -> Any:
        """The batches of the split; each process takes its turn."""
        return self._loader(test_dataset)

    def _loader(self, batches: Any) -> Any:
        loader = torch.utils.data.DataLoader(
            batches,
            batch_size=1,
            collate_fn=_only,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory and torch.cuda.is_available(),
        )
        return self.accelerator.prepare(loader)

    def _prepare_for_training(self, *arguments: Any, **named: Any) -> Any:
        """Optimizer, schedule and compilation, for which transformers first looks at its arguments here."""
        try:
            return super()._prepare_for_training(*arguments, **named)
        except torch.OutOfMemoryError:
            raise
        except (ImportError, ValueError, TypeError, RuntimeError) as error:
            raise InputError(f"the training cannot be prepared: {error}") from error

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The share of this batch in the mean over all answer tokens: of the step, or of the split."""
        inputs = dict(inputs)
        divisor, labels = inputs.pop("divisor"), inputs.pop("labels")
        logits = model(**inputs, use_cache=False).logits.float()
        summed = torch.nn.functional.cross_entropy(
            logits.view(-1, logits.shape[-1]),
            labels.view(-1),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self.args.label_smoothing_factor,
        )
        # Gradients, and losses of an evaluation, are averaged over processes; the divisor counts the tokens of all.
        return summed / divisor * self.args.world_size

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None, **_: Any
    ) -> tuple[Any, Any, Any]:
        """The loss of a batch of an evaluation, and what the model writes for it."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, inputs).detach()
        if prediction_loss_only or not self.args.predict_with_generate:
            return loss, None, None
        written = self.model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **self._gen_kwargs
        )
        return loss, written, inputs["labels"]

    def evaluation_loop(self, dataloader: Any, *arguments: Any, **named: Any) -> Any:
        """The stock loop. A data set of batches counts as its rows, and no random number is drawn for the training that
        goes on after it: reading a data loader draws one, from which dropout would differ."""
        with random_state_kept():
            found = super().evaluation_loop(dataloader, *arguments, **named)
        return found._replace(num_samples=len(dataloader.dataset.encoded))


class Passes(transformers.trainer_callback.DefaultFlowCallback):
    """When to log, evaluate and save. For the stock trainer the whole training is one pass, since `Steps` holds all of
    its steps; here a pass ends with the step that takes its last example, and `epoch` counts passes.
    """

    def __init__(self, examples: int, rows: int) -> None:
        self.examples, self.rows, self.ended = examples, rows, 0  # the step with which the last pass ended

    def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> Any:
        """After each optimizer step."""
        control = super().on_step_end(args, state, control, **named)
        seen = state.global_step * self.examples
        state.epoch = seen / self.rows
        if seen // self.rows > (seen - self.examples) // self.rows:
            self.ended = state.global_step
            control = super().on_epoch_end(args, state, control, **named)
        return control

    def on_epoch_end(self, args: Any, state: Any, control: Any, **named: Any) -> Any:
        """After the last step, which counts as the end of a pass even in the middle of one."""
        return control if self.ended == state.global_step else super().on_epoch_end(args, state, control, **named)


@contextlib.contextmanager
def random_state_kept() -> Iterator[None]:
    """Whatever draws random numbers inside, those drawn afterwards are the same."""
    python, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield
    random.setstate(python)
    np.random.set_state(numbers)


def _only(items: Sequence[Any]) -> Any:
    return items[0]


class GoldScores:
    """`compute_metrics` of a split: what was generated against the gold texts themselves, which were never cut or
    decoded. `texts` are the predictions of the last call. Without a metric they are only kept.
    """

    def __init__(self, name: str | None, golds: Sequence[str], tokenizer: Any) -> None:
        self.name, self.golds, self.tokenizer = name, golds, tokenizer
        self.texts: list[str] = []

    def __call__(self, evaluated: Any) -> dict[str, Any]:
        tokens = evaluated.predictions[: len(self.golds)]  # the rows after them filled the last batches up
        tokens = np.where(tokens == IGNORED, self.tokenizer.pad_token_id, tokens)
        self.texts = [text.strip() for text in self.tokenizer.batch_decode(tokens, skip_special_tokens=True)]
        if self.name is None:
            return {}
        score = score_by(self.name)
        scores = [score(text, gold.strip()) for text, gold in zip(self.texts, self.golds, strict=True)]
        low, high = score_interval(scores)
        return {self.name: sum(scores) / len(scores), f"{self.name}_low": low, f"{self.name}_high": high}
