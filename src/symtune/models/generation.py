"""Batched greedy generation, and where it runs."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import transformers

from symtune.models.loading import quiet
from symtune.models.prompting import LoadedModel, end_ids, prompt_ids
from symtune.types import Completion, Generate

# Below this many parameters bfloat16 costs more in conversions than it saves.
BF16_PARAMETERS = 10_000_000


def bf16_helps(parameters: int) -> bool:
    """Whether this machine computes faster in bfloat16 than in float32, for a model of this size."""
    if parameters < BF16_PARAMETERS:
        return False
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.backends.cpu.get_cpu_capability()
    return capabilities.startswith("AVX512") and _cpu_has_bf16()


def _cpu_has_bf16() -> bool:
    with contextlib.suppress(AttributeError):
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def device() -> Any:
    """The device that models run on: the first GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def generator(
    loaded: LoadedModel,
    *,
    max_new_tokens: int = 64,
    batch_tokens: int = 16_384,
    progress: Callable[[int, int], None] | None = None,
    bf16: bool | None = None,
) -> Generate:
    """A greedy `Generate` of this model: prompts in, (index, completion) out as each batch is done.

    Prompts are taken longest first, in batches of at most `batch_tokens` tokens (padding and answers
    included). A prompt that leaves no room for an answer in the model's context gives a completion with finish
    "error"; nothing is cut. `progress(done, total)` counts prompts. `bf16`: None decides by machine and size.
    """
    fast = bf16_helps(loaded.parameters) if bf16 is None else bf16
    # A converted copy: autocast would convert every weight again for each token that is written.
    model = copy.deepcopy(loaded.model).to(torch.bfloat16) if fast else loaded.model
    model = model.to(device()).eval()
    stops = end_ids(loaded)
    settings = transformers.GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=stops,
        pad_token_id=loaded.tokenizer.pad_token_id,
        decoder_start_token_id=getattr(loaded.model.config, "decoder_start_token_id", None),
        bos_token_id=loaded.tokenizer.bos_token_id,
    )
    room = loaded.context - (max_new_tokens if loaded.kind == "causal" else 0)

    def generate(prompts: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        encoded = [prompt_ids(loaded, prompt) for prompt in prompts]
        fits = [index for index, ids in enumerate(encoded) if len(ids) <= room]
        done = 0
        for index, ids in enumerate(encoded):
            if len(ids) > room:
                done += 1
                yield index, Completion("", "error", len(ids), 0)
        for batch in _batches(fits, encoded, max_new_tokens, batch_tokens):
            rows = [encoded[index] for index in batch]
            for index, ids in zip(batch, _greedy(loaded, model, settings, rows), strict=True):
                yield index, _completion(loaded, ids, stops, len(encoded[index]))
            done += len(batch)
            if progress:
                progress(done, len(prompts))

    return generate


def _batches(fits: list[int], encoded: list[list[int]], new: int, limit: int) -> Iterator[list[int]]:
    """Indices by falling length, as many a batch as `limit` tokens hold (at least one)."""
    batch: list[int] = []
    for index in sorted(fits, key=lambda index: (-len(encoded[index]), index)):
        longest = len(encoded[batch[0]]) if batch else len(encoded[index])
        if batch and (len(batch) + 1) * (longest + new) > limit:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _greedy(loaded: LoadedModel, model: Any, settings: Any, rows: list[list[int]]) -> list[list[int]]:
    """The tokens written for each row of prompt tokens. Causal rows are padded on the left."""
    width, pad = max(map(len, rows)), loaded.tokenizer.pad_token_id
    causal = loaded.kind == "causal"
    ids = [[pad] * (width - len(row)) + row if causal else row + [pad] * (width - len(row)) for row in rows]
    mask = [
        [0] * (width - len(row)) + [1] * len(row) if causal else [1] * len(row) + [0] * (width - len(row))
        for row in rows
    ]
    with quiet(), torch.inference_mode():
        written = model.generate(
            input_ids=torch.tensor(ids, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            generation_config=settings,
        )
    # A causal model's output begins with its input, an encoder-decoder's with the token that starts it.
    return [row.tolist() for row in written[:, width if causal else 1 :].cpu()]


def _completion(loaded: LoadedModel, ids: list[int], stops: list[int], tokens_in: int) -> Completion:
    end = next((place for place, token in enumerate(ids) if token in stops), None)
    kept = ids if end is None else ids[:end]
    text = loaded.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Completion(text, "length" if end is None else "stop", tokens_in, len(kept) + (end is not None))
