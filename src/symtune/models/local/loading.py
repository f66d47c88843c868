"""Loading a model by name, local folder, hub id, or from a config that builds a new one.

Nothing here computes; see `symtune.models.local.generation` for that.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml

from symtune.models import ModelSpec
from symtune.models.local import gguf
from symtune.models.local.prompting import Kind, LoadedModel
from symtune.output import sha256
from symtune.seeds import digest
from symtune.types import InputError, UnknownName

HUB_NAMES = {"smollm2-135m-instruct": "HuggingFaceTB/SmolLM2-135M-Instruct"}
NAMES: tuple[str, ...] = (*HUB_NAMES, *gguf.NAMES)

WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
# Encoder-decoders with relative positions (T5) have no last position; the paper reads up to 2,048 tokens.
RELATIVE_CONTEXT = 2048


def check_model(model: ModelSpec) -> None:
    """Raise InputError at once for a model that cannot be loaded, as far as that shows without loading it."""
    if isinstance(model, Mapping):
        _config_of(model)
        _tokenizer_folder(model)
        return
    name = str(model)
    if name in gguf.NAMES:
        gguf.find(name)
    elif Path(name).is_dir():
        _check_folder(Path(name))
    elif _is_spec_file(name):
        check_model(_read_spec(Path(name)))
    elif name not in HUB_NAMES and not _may_be_hub_id(name):
        if "/" in name or name.startswith("."):
            raise InputError(f"model {name}: no such file or folder")
        raise UnknownName("model", name, NAMES)


def resolve(model: ModelSpec) -> ModelSpec:
    """What `model` stands for in a manifest: the mapping for a file that holds one, else itself."""
    if not isinstance(model, Mapping) and _is_spec_file(str(model)):
        return _read_spec(Path(model))
    return model


def load(model: ModelSpec) -> LoadedModel:
    """Load a model by name, local folder, hub id, mapping, or YAML/JSON file that holds such a mapping.

    A mapping builds a new model, for example `{architecture: t5, tokenizer: bytes, d_model: 64}`; the other
    keys are those of the architecture's config. Its weights are drawn by a hash of the mapping (`seed` is a
    key of it) and the vocabulary of a tokenizer's folder. A transformers config or a tokenizer folder is never
    fetched for one.
    Weights are float32 and on the CPU. Raises InputError when it cannot be loaded.
    """
    check_model(model)
    with quiet():
        if isinstance(model, Mapping):
            return _build(model)
        name = str(model)
        if name in gguf.NAMES:
            path = gguf.find(name)
            weights = sha256(path)
            return _from_folder(gguf.dequantised(path, weights), name, weights)
        if Path(name).is_dir():
            return _from_folder(Path(name), name)
        if _is_spec_file(name):
            return _build(_read_spec(Path(name)))
        return _from_folder(_hub_folder(HUB_NAMES.get(name, name)), name)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' and the hub's own bars and notes off the terminal; errors still raise."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _may_be_hub_id(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(parts) and parts[0] not in (".", "..") and not Path(parts[0]).exists()


def _is_spec_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json")) and Path(name).is_file()


def _read_spec(path: Path) -> Mapping[str, Any]:
    try:
        spec = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {error}") from None
    if not isinstance(spec, Mapping):
        raise InputError(f"{path}: expected a mapping such as {{architecture: t5, tokenizer: bytes}}")
    return spec


def _weight_files(folder: Path) -> list[Path]:
    for pattern in WEIGHTS:
        found = sorted(folder.glob(pattern))
        if found:
            return found
    return []


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise InputError(f"model {folder}: no config.json here; expected a transformers model folder")
    if not _weight_files(folder):
        raise InputError(f"model {folder}: no weights here (looked for {', '.join(WEIGHTS)})")


def _weights_digest(folder: Path) -> str:
    files = _weight_files(folder)
    if len(files) == 1:
        return sha256(files[0])
    return hashlib.sha256("".join(f"{sha256(file)}  {file.name}\n" for file in files).encode()).hexdigest()


def _hub_folder(name: str) -> Path:
    """The local snapshot of a hub model (HF_HUB_OFFLINE=1 is respected: then only what is cached)."""
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.model", "*.txt", "*.jinja", "*.safetensors"]
    try:
        folder = Path(snapshot_download(name, allow_patterns=patterns))
        if not _weight_files(folder):
            folder = Path(snapshot_download(name, allow_patterns=[*patterns, WEIGHTS[1]]))
    except Exception as error:  # whatever the hub's client raises: no network, no such model, no permission
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise InputError(f"model {name!r} is not a local folder and cannot be fetched: {reason}") from None
    _check_folder(folder)
    return folder


def _from_folder(folder: Path, name: str, weights: str = "") -> LoadedModel:
    try:
        config = transformers.AutoConfig.from_pretrained(folder)
        kind: Kind = "seq2seq" if config.is_encoder_decoder else "causal"
        auto = transformers.AutoModelForSeq2SeqLM if kind == "seq2seq" else transformers.AutoModelForCausalLM
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model = auto.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, TypeError, KeyError, ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"model {name}: cannot be loaded: {reason}") from None
    return _loaded(model, tokenizer, kind, name, weights or _weights_digest(folder))


def _loaded(model: Any, tokenizer: Any, kind: Kind, name: str, weights: str) -> LoadedModel:
    check_tokenizer(model, tokenizer, name)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(model.eval(), tokenizer, kind, name, weights, _context(model.config, tokenizer))


def check_tokenizer(model: Any, tokenizer: Any, name: str) -> None:
    """Refuse a tokenizer that is not the model's: offline, some classes silently come up with ~100 tokens."""
    vocabulary, known = model.get_input_embeddings().num_embeddings, len(tokenizer)
    if known > vocabulary or known < 0.5 * vocabulary:
        raise InputError(
            f"model {name}: its tokenizer has {known:,} tokens and the model {vocabulary:,}: "
            "the tokenizer's files are missing or belong to another model"
        )
    ids = tokenizer("Table 1: a, b", add_special_tokens=False)["input_ids"]
    if tokenizer.eos_token_id is None or not ids or tokenizer.unk_token_id in ids:
        raise InputError(f"model {name}: its tokenizer cannot encode plain text or has no end token")


def _context(config: Any, tokenizer: Any) -> int:
    text = config.get_text_config()
    positions = getattr(text, "max_position_embeddings", None)
    if not positions:
        positions = RELATIVE_CONTEXT if config.is_encoder_decoder else 1 << 20
    limit = tokenizer.model_max_length
    # T5's files say 512, which is how it was pretrained and not a limit of its relative positions.
    relative = not getattr(text, "max_position_embeddings", None)
    return int(positions if relative or limit > 1 << 30 else min(positions, limit))


def _config_of(spec: Mapping[str, Any]) -> Any:
    """The transformers config that a mapping describes; unknown names give "Did you mean"."""
    if "architecture" not in spec:
        raise InputError(
            "model: a mapping needs `architecture` (for example t5 or llama); its keys: "
            + (", ".join(map(str, spec)) or "none")
        )
    architectures = transformers.CONFIG_MAPPING
    if spec["architecture"] not in architectures:
        raise UnknownName("architecture", str(spec["architecture"]), architectures.keys())
    known = set(architectures[spec["architecture"]]().to_dict()) | {"architecture", "tokenizer", "seed"}
    for key in spec:
        if key not in known:
            raise UnknownName(f"key of the model {spec['architecture']}", str(key), known)
    values = {key: value for key, value in spec.items() if key not in ("architecture", "tokenizer", "seed")}
    try:
        return architectures[spec["architecture"]](**values)
    except Exception as error:  # each config class checks in its own way
        raise InputError(f"model {spec['architecture']}: {' '.join(str(error).split())}") from None


def _tokenizer_folder(spec: Mapping[str, Any]) -> Path | None:
    """The folder of the tokenizer that a mapping names, or None for bytes."""
    source = str(spec.get("tokenizer", "bytes"))
    if source == "bytes":
        return None
    if not Path(source).is_dir():
        raise InputError(f"model: tokenizer {source!r} is neither `bytes` nor a local folder")
    return Path(source)


def _build(spec: Mapping[str, Any]) -> LoadedModel:
    config = _config_of(spec)
    tokenizer: Any
    if folder := _tokenizer_folder(spec):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        spec = {**spec, "tokenizer": tokenizer.get_vocab()}  # wherever the folder lies
    else:
        tokenizer = transformers.ByT5Tokenizer()
    if "vocab_size" not in spec:
        config.vocab_size = len(tokenizer)
    config.pad_token_id, config.eos_token_id = tokenizer.pad_token_id, tokenizer.eos_token_id
    config.bos_token_id = tokenizer.bos_token_id
    kind: Kind = "seq2seq" if config.is_encoder_decoder else "causal"
    auto = transformers.AutoModelForSeq2SeqLM if kind == "seq2seq" else transformers.AutoModelForCausalLM
    if kind == "seq2seq":
        config.decoder_start_token_id = tokenizer.pad_token_id
    seed = int.from_bytes(digest("model", json.dumps(dict(spec), sort_keys=True, default=str))[:7], "big")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = auto.from_config(config, dtype=torch.float32)
    except Exception as error:  # each architecture checks its sizes in its own way
        raise InputError(f"model {spec['architecture']}: {' '.join(str(error).split())}") from None
    name = f"config:{spec['architecture']}-{seed:014x}"
    return _loaded(model, tokenizer, kind, name, _state_digest(model))


def _state_digest(model: Any) -> str:
    """The sha256 of a model's weights: names, shapes and bytes."""
    hashed = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        hashed.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        hashed.update(tensor.detach().contiguous().view(torch.uint8).numpy().tobytes())
    return hashed.hexdigest()
