"""A model's tokenizer as a measure of texts, for budgets: `generate --tokenizer NAME`. Loads no weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers

from symtune.models.local import gguf
from symtune.models.local.loading import HUB_NAMES, quiet
from symtune.types import InputError


class TokenizerMeasure:
    """text -> tokens of the named model's tokenizer, without special tokens. Can be sent to worker processes.

    `name` is a model's name, local folder or hub id. Raises InputError if it has no tokenizer to load.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tokenizer = _load(name)

    def __call__(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return (TokenizerMeasure, (self._name,))


def _load(name: str) -> Any:
    with quiet():
        try:
            if name in gguf.NAMES:
                path = gguf.find(name)
                return transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
            if not Path(name).is_dir() and "/" not in HUB_NAMES.get(name, name):
                raise InputError(f"--tokenizer {name}: neither a model's name, nor a local folder, nor a hub id")
            return transformers.AutoTokenizer.from_pretrained(HUB_NAMES.get(name, name))
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"--tokenizer {name}: cannot be loaded: {reason}") from None
