"""Greedy answers to a batch of prompts: read a few at a time, written together.

Reading is most of the work, and padding spoils it twice: padded tokens are computed, and they need an explicit mask,
under which attention takes a slow path. So prompts are read with hardly any padding, long ones alone; a causal model's
are padded on the right, where no token sees the padding, so that none of them needs a mask. What the model remembers is
then padded to one width, and `transformers` writes the answers of the whole batch, a token of each a step, where
padding costs little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import transformers
from torch.nn.functional import pad
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer, StaticCache
from transformers.modeling_outputs import BaseModelOutput

from symtune.models.local import memory
from symtune.models.local.batching import deal
from symtune.models.local.loading import quiet
from symtune.models.local.positions import by_distance
from symtune.models.local.prompting import LoadedModel

Rows = Sequence[Sequence[int]]  # tokens of prompts, the longest first

# What a CPU reads at once: as many tokens as use it fully, and of these at most the share that may be padding.
READ_TOKENS, READ_PADDING = 2048, 0.05
# An encoder needs a mask for padding, which costs more the longer the prompts: those above half of this go alone.
ENCODER_READ_TOKENS = 512


def can_pad(loaded: LoadedModel) -> bool:
    """Whether prompts of several lengths may be answered together: whether all that the model remembers of a prompt
    belongs to single tokens of it, so that it can be padded. A recurrent state does not.
    """
    if loaded.kind == "seq2seq":
        return True
    model = loaded.model
    layers = {type(layer) for layer in DynamicCache(config=model.config).layers}
    return (
        layers <= {DynamicLayer, DynamicSlidingWindowLayer}
        and not model._is_stateful
        and model._can_compile_fullgraph  # it can be given a cache of a fixed size
    )


def write(loaded: LoadedModel, model: Any, settings: transformers.GenerationConfig, rows: Rows) -> list[list[int]]:
    """The tokens that `model` writes for each row. Rows of several lengths need `can_pad`."""
    with memory.kept(), quiet(), torch.inference_mode():
        if loaded.kind == "seq2seq":
            written = _from_states(model, settings, rows)[:, 1:]  # less the token that starts an answer
        elif len({len(row) for row in rows}) == 1:
            ids = torch.tensor(rows, device=model.device)
            written = _generate(model, settings, input_ids=ids, attention_mask=torch.ones_like(ids))
        else:
            written = _from_cache(model, settings, rows)
    tokens: list[list[int]] = written.tolist()
    return tokens


def _generate(model: Any, settings: Any, **inputs: Any) -> torch.Tensor:
    """What is written, behind the `input_ids` where there are any."""
    given = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
    written: torch.Tensor = model.generate(**inputs, generation_config=settings)
    return written[:, given:]


def _from_states(model: Any, settings: Any, rows: Rows) -> torch.Tensor:
    """Encoder-decoder: answers written beside the padded states of the encoder."""
    width, states = len(rows[0]), list[torch.Tensor]()
    encoder = model.get_encoder()
    with by_distance(encoder):
        for group in _read_at_once(rows, model.device, ENCODER_READ_TOKENS):
            ids, mask = _padded(group, settings.pad_token_id, model.device)
            read = encoder(input_ids=ids, attention_mask=None if mask.all() else mask)
            states.append(pad(read.last_hidden_state, (0, 0, 0, width - ids.shape[1])))
    return _generate(
        model,
        settings,
        encoder_outputs=BaseModelOutput(last_hidden_state=torch.cat(states)),
        attention_mask=_padded(rows, settings.pad_token_id, model.device)[1],
    )


def _from_cache(model: Any, settings: Any, rows: Rows) -> torch.Tensor:
    """Causal: all tokens but the last are read, and answers written behind the cache, padded on the left."""
    read = list[tuple[Rows, Any]]()
    for group in _read_at_once(rows, model.device, READ_TOKENS):
        cache = DynamicCache()
        heads = [row[:-1] for row in group]
        if heads[0]:
            ids, _ = _padded(heads, settings.pad_token_id, model.device)
            model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
        read.append((heads, cache))
    ids, mask = _padded([row[::-1] for row in rows], settings.pad_token_id, model.device)
    return _generate(
        model,
        settings,
        input_ids=ids.flip(1),
        attention_mask=mask.flip(1),
        past_key_values=_joined(model, read, len(rows), settings.max_new_tokens),
    )


def _read_at_once(rows: Rows, device: Any, tokens: int) -> Iterator[Rows]:
    """Rows that are read at once, in order: at most `tokens` tokens, or one row. A GPU reads all."""
    if device.type != "cpu":
        yield rows
        return
    lengths = {place: len(row) for place, row in enumerate(rows)}
    for places in deal(lengths, 0, tokens=tokens, rows=len(rows), padding=READ_PADDING):
        yield rows[places[0] : places[-1] + 1]


def _padded(rows: Rows, token: int, device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows padded on the right, and the mask of what is no padding."""
    width = len(rows[0])
    ids = [[*row, *[token] * (width - len(row))] for row in rows]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _joined(model: Any, read: list[tuple[Rows, Any]], rows: int, new: int) -> StaticCache:
    """One cache of all rows that were read, padded on the left, with room for the last token of each and `new` more.
    Each layer is let go when it has been joined, so that no more than one is held twice.
    """
    width = len(read[0][0][0])
    joined = StaticCache(config=model.config, max_cache_len=width + 1 + new)
    for number, first in enumerate(read[0][1].layers):
        keys, values = (
            like.new_zeros(rows, like.shape[1], width, like.shape[3]) for like in (first.keys, first.values)
        )
        place = 0
        for heads, cache in read:
            if not heads[0]:  # prompts of one token, of which nothing was to be read
                continue
            layer = cache.layers[number]
            for row, head in enumerate(heads):
                keys[place, :, width - len(head) :] = layer.keys[row, :, : len(head)]
                values[place, :, width - len(head) :] = layer.values[row, :, : len(head)]
                place += 1
            layer.keys = layer.values = None
        joined.update(keys, values, number)
    return joined
