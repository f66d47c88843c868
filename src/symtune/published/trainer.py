"""`Seq2SeqTrainer` with the loss of a whole step, checkpoints that resume exactly, and scores against the gold text.

The stock trainer asks T5 for the mean loss of each micro-batch and divides by neither tokens nor accumulation (observed
with accumulation 8: a logged loss of 43.2 instead of 5.1, and a gradient norm of 18.4 instead of 3.4, so that clipping
shrinks every step). Here, the cross-entropy of all answer tokens of the step is summed over its micro-batches and
processes and divided by the number of these tokens, which is what one pass over the whole step would give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import transformers

from symtune.intervals import score_interval
from symtune.published.scores import Score
from symtune.published.steps import Steps
from symtune.training.tensors import IGNORED
from symtune.training.trainers import MarkedCheckpoints
from symtune.types import InputError


class StepTrainer(MarkedCheckpoints, transformers.Seq2SeqTrainer):
    """Trains on `Steps`; evaluates as the stock trainer does."""

    loss_is_scaled_for_ga: bool | None = True  # divided by the answer tokens of the whole step
    train_dataset: Any
    compute_metrics: Any

    def get_train_dataloader(self) -> Any:
        """A loader of the micro-batches of `Steps`, which processes take in turn."""
        loader = torch.utils.data.DataLoader(
            self.train_dataset,
            batch_size=1,
            collate_fn=_only,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory and torch.cuda.is_available(),
        )
        return self.accelerator.prepare(loader)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The contribution of this micro-batch to the mean over all answer tokens of the step."""
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
        # Gradients are averaged over processes; the divisor counts the tokens of all of them.
        return summed / divisor * self.args.world_size

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log; `epoch` is the number of passes over the data, rather than the share of the steps."""
        steps = self.train_dataset
        if isinstance(steps, Steps):
            self.state.epoch = self.state.global_step * steps.shape.examples / len(steps.encoded)
        if "loss" in logs and not np.isfinite(logs["loss"]):
            raise InputError(
                f"the loss is {logs['loss']} at step {self.state.global_step}: the training diverged; lower "
                "--learning_rate"
            )
        super().log(logs, start_time)


def _only(items: Sequence[Any]) -> Any:
    return items[0]


class GoldScores:
    """`compute_metrics` for a split: compares what was generated with the gold texts themselves, which were never cut
    or decoded. `texts` are the predictions of the last call.
    """

    def __init__(self, name: str, score: Score, golds: Sequence[str], tokenizer: Any) -> None:
        self.name, self.score, self.golds, self.tokenizer = name, score, golds, tokenizer
        self.texts: list[str] = []

    def __call__(self, evaluated: Any) -> Mapping[str, Any]:
        tokens = evaluated.predictions
        tokens = tokens[0] if isinstance(tokens, tuple) else tokens
        tokens = np.where(tokens == IGNORED, self.tokenizer.pad_token_id, tokens)
        self.texts = [text.strip() for text in self.tokenizer.batch_decode(tokens, skip_special_tokens=True)]
        scores = [self.score(text, gold.strip()) for text, gold in zip(self.texts, self.golds, strict=True)]
        low, high = score_interval(scores)
        return {self.name: sum(scores) / len(scores), f"{self.name}_low": low, f"{self.name}_high": high}
