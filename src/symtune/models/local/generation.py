"""Batched greedy generation, and where it runs."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
import transformers

from symtune.models import BATCH_TOKENS
from symtune.models.local.batching import PADDING, ROWS, deal
from symtune.models.local.greedy import can_pad, write
from symtune.models.local.prompting import LoadedModel, end_ids, prompt_ids
from symtune.types import Completion

# Below this many parameters bfloat16 costs more in conversions than it saves.
BF16_PARAMETERS = 10_000_000


def bf16_helps(parameters: int) -> bool:
    """Whether this machine computes faster in bfloat16 than in float32, for a model of this size.

    A CPU does if it has matrix units for it (Intel's AMX). With the vector instructions alone (AVX512-BF16), training
    SmolLM2-135M took 1.6 times as long in bfloat16 as in float32 (`symtune train --bf16` and `--no-bf16`, PyTorch 2.13
    on a Xeon of 2023 whose AMX is switched off), and so did reading prompts.
    """
    if parameters < BF16_PARAMETERS:
        return False
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    amx = getattr(torch.cpu, "_is_amx_tile_supported", None)  # not a public function
    return amx is not None and bool(amx())


def device() -> Any:
    """The device that models run on: the first GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class LocalModel:
    """A loaded model as a `symtune.model.Model`: greedy, in batches of at most `batch_tokens` tokens, padding and
    answers included, and `batch_rows` prompts. `bf16`: None decides by machine and size.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        batch_tokens: int = BATCH_TOKENS,
        batch_rows: int = ROWS,
        bf16: bool | None = None,
    ) -> None:
        self.loaded, self.batch_tokens, self.batch_rows = loaded, batch_tokens, batch_rows
        self.padding = PADDING if can_pad(loaded) else 0.0
        self.bf16 = bf16_helps(loaded.parameters) if bf16 is None else bf16

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.loaded.name

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, done: Collection[int] = ()
    ) -> Iterator[tuple[int, Completion]]:
        """The completions as each batch is done, longest prompts first. A prompt that leaves no room for an answer in
        the model's context gives a completion with finish "error"; nothing is cut.

        What a batch holds decides its completions to the last bit, so batches are dealt over all prompts: those that
        were done whole are passed over, the others are computed whole.
        """
        loaded, room = self.loaded, self.room(max_new_tokens)
        stops, settings = end_ids(loaded), self._settings(max_new_tokens)
        encoded = [prompt_ids(loaded, prompt) for prompt in prompts]
        fits = {index: len(ids) for index, ids in enumerate(encoded) if len(ids) <= room}
        for index, ids in enumerate(encoded):
            if index not in fits and index not in done:
                yield index, Completion("", "error", len(ids), 0)
        for batch in deal(fits, max_new_tokens, tokens=self.batch_tokens, rows=self.batch_rows, padding=self.padding):
            if all(index in done for index in batch):
                continue
            rows = [encoded[index] for index in batch]
            for index, ids in zip(batch, write(loaded, self._model, settings, rows), strict=True):
                if index not in done:
                    yield index, _completion(loaded, ids, stops, len(encoded[index]))

    def measure(self, text: str) -> int:
        """How many tokens the text is as a prompt of this model, chat template included."""
        return len(prompt_ids(self.loaded, text))

    def room(self, new: int) -> int:
        """The longest prompt, in tokens, behind which an answer of `new` tokens can be written."""
        return self.loaded.context - (new if self.loaded.kind == "causal" else 0)

    def facts(self) -> dict[str, Any]:
        """The model, how prompts are written for it, and how it computes."""
        dtype = "bfloat16" if self.bf16 else "float32"
        return {
            **self.loaded.facts(),
            "dtype": dtype,
            "device": device().type,
            "batch_tokens": self.batch_tokens,
            "batch_rows": self.batch_rows,
            "batch_padding": self.padding,
        }

    @cached_property
    def _model(self) -> Any:
        """The model where it runs. A converted copy: autocast would convert every weight again for each token that is
        written.
        """
        model = copy.deepcopy(self.loaded.model).to(torch.bfloat16) if self.bf16 else self.loaded.model
        return model.to(device()).eval()

    def _settings(self, max_new_tokens: int) -> Any:
        loaded = self.loaded
        return transformers.GenerationConfig(
            do_sample=False,
            num_beams=1,
            max_new_tokens=max_new_tokens,
            eos_token_id=end_ids(loaded),
            pad_token_id=loaded.tokenizer.pad_token_id,
            decoder_start_token_id=getattr(loaded.model.config, "decoder_start_token_id", None),
            bos_token_id=loaded.tokenizer.bos_token_id,
            disable_compile=True,  # every batch has a width of its own
        )


def _completion(loaded: LoadedModel, ids: list[int], stops: list[int], tokens_in: int) -> Completion:
    end = next((place for place, token in enumerate(ids) if token in stops), None)
    kept = ids if end is None else ids[:end]
    text = loaded.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Completion(text, "length" if end is None else "stop", tokens_in, len(kept) + (end is not None))
