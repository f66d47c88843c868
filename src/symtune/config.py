"""Configuration: one idiom for YAML files, flags and Python. All errors are reported at once.

    class Source(Strict):
        name: str
        rate: float = Field(gt=0)

    mixture = load(Path("mix.yaml"), Mixture)     # or one InputError that lists all errors with their lines
    source = Source.of({"name": "sql", "rate": 1})   # or one InputError

Unknown keys are refused with "Did you mean …?"; a key written twice in a file is refused too, since YAML would
silently keep the second. Values that flags write as text (`3:12`, `a,b`, `a=1,b=2`) are read wherever they come from.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from symtune.types import InputError

LARGEST = 1_000_000  # bytes; a configuration is written by hand, anything larger is the wrong file
Loc = Sequence[int | str]


class Strict(BaseModel):
    """The base of every configuration model: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def of(cls, said: Mapping[str, Any], spelled: Callable[[str], str] = str) -> Self:
        """The model for these settings. Raises InputError, in one line, with every error. `spelled` writes the name of
        a field as the user knows it, for example `rows` as `--rows`.
        """
        try:
            return cls.model_validate(dict(said))
        except ValidationError as error:
            faults = [_sentence(cls, fault, spelled) for fault in error.errors(include_url=False)]
            raise InputError("; ".join(dict.fromkeys(faults))) from None


def flag(
    *, panel: str = "", name: str = "", short: str = "", only: str = "", metavar: str = "", repeat: bool = False,
    pairs: bool = False,
) -> Any:  # fmt: skip
    """What a field's flag needs besides the field's description (`symtune.flags`): its panel in the help; another name,
    an additional short name, or a name used instead of all others; whether it may be repeated, and if so, whether it
    takes NAME=VALUE.
    """
    said = {"panel": panel, "name": name, "short": short, "only": only, "metavar": metavar}
    return {key: value for key, value in (said | {"repeat": repeat, "pairs": pairs}).items() if value}


Model = TypeVar("Model", bound=Strict)

# ------------------------------------------------------------------------------------------- values that flags write


def _range_of(number: type[int] | type[float]) -> Callable[[Any], Any]:
    kind = "whole numbers, " if number is int else ""

    def read(value: Any) -> Any:
        if isinstance(value, int | float):
            return value, value
        if not isinstance(value, str):
            return value
        low, colon, high = value.partition(":")
        try:
            return number(low), number(high if colon else low)
        except ValueError:
            raise ValueError(f"wanted {kind}LOW:HIGH, for example 3:12") from None

    return read


def ascending_from(least: float) -> Callable[[tuple[Any, Any]], tuple[Any, Any]]:
    """A check of ranges: least <= LOW <= HIGH."""

    def check(value: tuple[Any, Any]) -> tuple[Any, Any]:
        if not least <= value[0] <= value[1]:
            raise ValueError(f"wanted LOW:HIGH with {least:g} <= LOW <= HIGH")
        return value

    return check


def _listed_names(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _weights(value: Any) -> Any:
    """`lookup=3,count=1`, only names for equal weights, or a mapping."""
    if not isinstance(value, str):
        return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value
    found: dict[str, float] = {}
    for part in _listed_names(value):
        name, _, weight = part.partition("=")
        try:
            found[name.strip()] = float(weight or 1)
        except ValueError:
            raise ValueError("wanted NAME=WEIGHT, separated by commas") from None
    return found


def _some_weight(value: dict[str, float]) -> dict[str, float]:
    if not all(weight >= 0 for weight in value.values()) or not any(value.values()):
        raise ValueError("wanted weights of 0 or more, at least one of them above 0")
    return value


WholeRange = Annotated[tuple[int, int], BeforeValidator(_range_of(int))]  # 3:12, [3, 12], or one number for both
Range = Annotated[tuple[float, float], BeforeValidator(_range_of(float))]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed_names)]  # a,b or [a, b]
Weights = Annotated[
    dict[str, float], BeforeValidator(_weights), AfterValidator(_some_weight)
]  # a=3,b=1 or {a: 3, b: 1}
Share = Annotated[float, Field(ge=0, le=1)]


class _Loader(yaml.SafeLoader):
    """YAML in which a bare `=` is a text, as it is in YAML 1.2."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: str(node.value))


def load(path: Path, model: type[Model]) -> Model:
    """The YAML file at `path` as a `model`. Raises InputError, in one line, with every error found."""
    root = _compose(path, _read(path))
    if root is None:
        raise InputError(f"{path}: the file is empty; wanted {_keys(model)}")
    try:
        data = _Loader("").construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2020-13-45 is not a date
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
    """`message` with the file and the line of the key that `loc` names: for errors found after loading."""
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
            raise InputError(f"{path}: {path.stat().st_size:,} bytes; a configuration may have at most {LARGEST:,}")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); wanted a YAML file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _compose(path: Path, text: str) -> yaml.Node | None:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except RecursionError:
        raise InputError(f"{path}: nested too deeply for a configuration") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {_one_line(error)}") from None
    for token in yaml.scan(text, Loader=_Loader):
        if isinstance(token, yaml.AliasToken):  # a few aliases can expand to gigabytes, and no recipe needs one
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
    """The line of the deepest part of `loc` that exists in the file."""
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


def _sentence(model: type[BaseModel], fault: Any, spelled: Callable[[str], str] = str) -> str:
    loc = fault["loc"]
    place = dotted((spelled(str(loc[0])), *loc[1:])) if loc else ""
    if fault["type"] == "extra_forbidden":
        known = sorted(_model_at(model, loc).model_fields)
        near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        return f"{place}: unknown key. " + (f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}")
    if fault["type"] == "missing":
        return f"{place}: missing"
    if fault["type"] == "value_error":
        said = str(fault["ctx"]["error"])
        got = f"got {_shown(fault['input'])}, " if said.startswith("wanted ") else ""
        return f"{place}: {got}{said}" if place else said
    wanted = str(fault["msg"]).replace("Input should be", "wanted")
    for formal, plain in _PLAIN.items():
        wanted = wanted.replace(formal, plain)
    return f"{place}: got {_shown(fault['input'])}, {wanted[:1].lower()}{wanted[1:]}"


# What pydantic says -> what a person says.
_PLAIN = {
    "a valid tuple": "a list",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
    ", unable to parse string as an integer": "",
    ", unable to parse string as a number": "",
}


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
    return f"{path}: {len(faults)} errors: {listed}"


def _keys(model: type[BaseModel]) -> str:
    return "a mapping with the keys " + ", ".join(model.model_fields)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
