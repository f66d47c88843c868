"""YAML files that people write (mixtures, recipes): read safely, checked whole, every fault named at once.

    class Source(Strict):
        name: str
        rate: float = Field(gt=0)

    mixture = load(Path("mix.yaml"), Mixture)     # or one InputError that lists all faults with their lines

Unknown keys are refused with "Did you mean …?"; a key written twice is refused too, since YAML would
silently keep the second.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from symtune.types import InputError

LARGEST = 1_000_000  # bytes; a configuration is written by hand, anything larger is the wrong file
Loc = Sequence[int | str]


class Strict(BaseModel):
    """The base of every configuration model: unknown keys are faults, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Strict)


def load(path: Path, model: type[Model]) -> Model:
    """The YAML file at `path` as a `model`. Raises InputError, in one line, with every fault found."""
    root = _compose(path, _read(path))
    if root is None:
        raise InputError(f"{path}: the file is empty; wanted {_keys(model)}")
    try:
        data = yaml.SafeLoader("").construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2020-13-45 is no date
        raise InputError(f"{path}: not a YAML configuration: {_one_line(error)}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: got {_shown(data)}, wanted {_keys(model)}")
    faults = _twice(root)
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            faults.append((_line(root, fault["loc"]), _sentence(model, fault)))
    if faults:
        raise InputError(_listed(path, faults))
    return found


def fault_at(path: Path, loc: Loc, message: str) -> str:
    """`message` with the file and the line of the key that `loc` names: for faults found after loading."""
    root = _compose(path, _read(path))
    line = _line(root, loc) if root is not None else 1
    return f"{path}:{line}: {dotted(loc)}: {message}"


def dotted(loc: Loc) -> str:
    """A place in a configuration as people write it: `sources[1].rate`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: {path.stat().st_size:,} bytes; a configuration holds at most {LARGEST:,}")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); wanted a YAML file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _compose(path: Path, text: str) -> yaml.Node | None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise InputError(f"{path}: nested too deeply for a configuration") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {_one_line(error)}") from None
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):  # a few aliases can stand for gigabytes; no recipe needs one
            line = token.start_mark.line + 1
            raise InputError(f"{path}:{line}: the alias *{token.value} is not allowed here; write the value out")
    return root


def _twice(node: yaml.Node, loc: tuple[int | str, ...] = ()) -> list[tuple[int, str]]:
    """Keys written twice in one mapping, with their lines."""
    faults: list[tuple[int, str]] = []
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                faults.append((key.start_mark.line + 1, f"{dotted((*loc, name))}: written twice; keep one"))
            seen.add(name)
            faults += _twice(value, (*loc, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            faults += _twice(value, (*loc, index))
    return faults


def _line(node: yaml.Node, loc: Loc) -> int:
    """The line of the deepest part of `loc` that the file has."""
    line = node.start_mark.line + 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            key, node = found[-1]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _sentence(model: type[BaseModel], fault: Any) -> str:
    place, message = dotted(fault["loc"]), str(fault["msg"])
    if fault["type"] == "extra_forbidden":
        known = sorted(_model_at(model, fault["loc"]).model_fields)
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        return f"{place}: unknown key. " + (f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}")
    if fault["type"] == "missing":
        return f"{place}: missing"
    if fault["type"] == "value_error":
        return f"{place}: " * bool(place) + str(fault["ctx"]["error"])
    wanted = message.replace("Input should be", "wanted").replace("Value error, ", "")
    return f"{place}: got {_shown(fault['input'])}, {wanted[:1].lower()}{wanted[1:]}"


def _model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel]:
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        model = (_model_in(field.annotation) if field else None) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _listed(path: Path, faults: list[tuple[int, str]]) -> str:
    faults = sorted(set(faults))
    if len(faults) == 1:
        return f"{path}:{faults[0][0]}: {faults[0][1]}"
    listed = "; ".join(f"({n}) line {line}: {text}" for n, (line, text) in enumerate(faults, 1))
    return f"{path}: {len(faults)} faults: {listed}"


def _keys(model: type[BaseModel]) -> str:
    return "a mapping with the keys " + ", ".join(model.model_fields)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
