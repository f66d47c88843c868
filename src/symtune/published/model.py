"""The encoder-decoder and its tokenizer that the release's arguments name, from a folder or the hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from symtune.models.local import check_tokenizer, quiet
from symtune.published.arguments import ModelArguments
from symtune.types import InputError, SymtuneError


def load_model(
    arguments: ModelArguments, say: Callable[[str], None], dtype: torch.dtype = torch.float32
) -> tuple[Any, Any]:
    """The model and its tokenizer. Raises InputError."""
    name = arguments.model_name_or_path
    hub = {
        "cache_dir": arguments.cache_dir,
        "revision": arguments.model_revision,
        "token": arguments.use_auth_token or None,
    }
    if not Path(name).is_dir() and (name.startswith((".", "/")) or name.count("/") != 1):
        raise InputError(f"model {name}: no such folder, and not a name on the hub")
    try:
        with quiet():
            config = transformers.AutoConfig.from_pretrained(arguments.config_name or name, **hub)
            if not config.is_encoder_decoder:
                raise InputError(f"model {name}: not an encoder-decoder; use `symtune train` and `symtune evaluate`")
            _set_dropout(config, arguments.dropout_rate, say)
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                arguments.tokenizer_name or name, use_fast=arguments.use_fast_tokenizer, **hub
            )
            model = transformers.AutoModelForSeq2SeqLM.from_pretrained(name, config=config, dtype=dtype, **hub)
    except SymtuneError:
        raise
    except Exception as error:  # whatever transformers and the client of the hub raise
        raise InputError(f"model {name}: cannot be loaded: {' '.join(str(error).split())[:300]}") from None
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        say(f"the embeddings are resized to the {len(tokenizer):,} tokens of the tokenizer")
        model.resize_token_embeddings(len(tokenizer))
    check_tokenizer(model, tokenizer, name)
    if model.config.decoder_start_token_id is None:
        raise InputError(f"model {name}: its config has no decoder_start_token_id")
    return model, tokenizer


def _set_dropout(config: Any, rate: float, say: Callable[[str], None]) -> None:
    if rate >= 0:
        if hasattr(config, "dropout_rate"):
            config.dropout_rate = rate
        else:
            say(f"--dropout_rate has no effect: {config.model_type} has no such setting")


def longest_input(model: Any) -> int | None:
    """The most tokens that a model has positions for; None if it has no such limit, as T5."""
    found = [
        value
        for name in ("max_position_embeddings", "max_encoder_position_embeddings")
        if isinstance(value := getattr(model.config, name, None), int)
    ]
    return min(found, default=None)
