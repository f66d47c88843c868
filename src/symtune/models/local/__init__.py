"""Models that this machine runs: loading, the prompt as a model sees it, and batched greedy generation.

    loaded = load("smollm2-135m-instruct-gguf")    # or a folder, a hub id, a mapping, a YAML file with one
    for index, completion in LocalModel(loaded).generate(["What is 2 + 2?"], max_new_tokens=32): ...

This package and `symtune.training` are the only ones that import torch and transformers.
"""

from __future__ import annotations

import os
import sys

from symtune.models.local import memory
from symtune.types import need

# Set before torch starts its threads: a thread that waits for the others must sleep, not spin. On two cores that
# other programs use too, spinning made training three to five times slower; on idle ones sleeping costs nothing
# that can be measured. OMP_WAIT_POLICY=ACTIVE in the environment wins.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


memory.bound()

need("torch", "train", "loading a model")
need("transformers", "train", "loading a model")

if not sys.modules["torch"].cuda.is_available():
    # Where deepspeed is installed transformers imports it, and it warns on stderr that it found no GPU.
    os.environ.setdefault("DS_ACCELERATOR", "cpu")

from symtune.models.local.generation import LocalModel, bf16_helps  # noqa: E402
from symtune.models.local.loading import (  # noqa: E402
    NAMES,
    check_model,
    check_tokenizer,
    load,
    quiet,
    resolve,
)
from symtune.models.local.measure import TokenizerMeasure  # noqa: E402
from symtune.models.local.prompting import (  # noqa: E402
    LoadedModel,
    completion_ids,
    end_ids,
    prompt_format,
    prompt_ids,
)

__all__ = [
    "NAMES",
    "LoadedModel",
    "LocalModel",
    "TokenizerMeasure",
    "bf16_helps",
    "check_model",
    "check_tokenizer",
    "completion_ids",
    "end_ids",
    "load",
    "prompt_format",
    "prompt_ids",
    "quiet",
    "resolve",
]
