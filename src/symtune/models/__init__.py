"""Models by name, as what evaluation needs of them (`symtune.model.Model`). Importing this needs no extra.

model = open_model("smollm2-135m-instruct-gguf")    # or a folder, a hub id, a mapping, a YAML file with one
for index, completion in model.generate(["What is 2 + 2?"], max_new_tokens=32): ...

local/    models that this machine runs; only it imports torch and transformers
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symtune.model import Model
from symtune.types import Measure

__all__ = ["BATCH_TOKENS", "ModelSpec", "check_model", "open_model", "tokenizer_measure"]

ModelSpec = str | Path | Mapping[str, Any]
BATCH_TOKENS = 16_384  # of a batch, padding and answers included


def check_model(model: ModelSpec) -> None:
    """Raise InputError at once for a model that cannot be loaded, as far as that shows without loading it."""
    from symtune.models import local

    local.check_model(model)


def open_model(model: ModelSpec, *, batch_tokens: int = BATCH_TOKENS) -> Model:
    """The model of that name, loaded. Raises InputError, and MissingExtra where what runs it is not installed."""
    from symtune.models import local

    return local.LocalModel(local.load(model), batch_tokens=batch_tokens)


def tokenizer_measure(name: str) -> Measure:
    """text -> tokens of the named model's tokenizer; can be sent to worker processes. Raises InputError."""
    from symtune.models import local

    return local.TokenizerMeasure(name)
