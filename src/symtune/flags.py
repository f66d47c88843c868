"""Flags of a verb, made from the model of its configuration, so that each setting is defined once, with its help.

    @app.command("generate")
    @takes(GenerateConfig)
    def generate(config: GenerateConfig) -> None:
        ...

A field's description is its help, and its default is shown with it. The field also holds whatever else a flag needs:
`Field(…, json_schema_extra=flag(panel="Tables", repeat=True))`. Values reach the model as the user wrote them, so
errors are worded the same for flags, YAML and Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from symtune.config import Strict
from symtune.types import InputError

Model = TypeVar("Model", bound=Strict)


def takes(model: type[Model]) -> Callable[[Callable[[Model], None]], Callable[..., None]]:
    """Turn a function that takes a `model` into a command that takes the fields of the model as flags."""

    def decorate(function: Callable[[Model], None]) -> Callable[..., None]:
        def command(**said: Any) -> None:
            function(model.of(_given(model, said), _flag))

        command.__doc__ = function.__doc__
        parameters = [_parameter(name, model.model_fields[name]) for name in _in_order(model)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def given(context: typer.Context) -> dict[str, Any]:
    """The parameters of a command that the user gave, by name."""
    return {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"
    }


def _in_order(model: type[Strict]) -> list[str]:
    """A model's own fields, followed by those that it inherits, which several verbs may share."""
    owners = [inspect.get_annotations(owner) for owner in model.__mro__]
    return sorted(model.model_fields, key=lambda name: next(k for k, own in enumerate(owners) if name in own))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _given(model: type[Strict], said: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that the user gave, by field."""
    found: dict[str, Any] = {}
    for name, value in said.items():
        extra = _extra(model.model_fields[name])
        if value is None or value == [] or (value is False and model.model_fields[name].default is False):
            continue
        found[name] = _pairs(extra["name"], value) if extra.get("pairs") else value
    return found


def _pairs(name: str, said: list[str]) -> dict[str, str]:
    """Read NAME=VALUE, given any number of times."""
    found: dict[str, str] = {}
    for text in said:
        key, equals, value = text.partition("=")
        if not (key.strip() and equals):
            raise InputError(f"{name} {text}: wanted NAME=VALUE")
        if key.strip() in found:
            raise InputError(f"{name} {key.strip()} is given twice; give it once")
        found[key.strip()] = value.strip()
    return found


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """The flag for a field. Its default is None (False for a plain switch), which tells whether it was given."""
    extra, kind, default = _extra(field), _kind(field), field.default
    switch = kind is bool
    names = [extra.get("name", _flag(name)), *([extra["short"]] if "short" in extra else [])]
    if switch and default is not False:
        names = [f"{_flag(name)}/--no-{name.replace('_', '-')}"]
    if "only" in extra:
        names = [extra["only"]]
    option = typer.Option(
        *names,
        help=_help(field),
        rich_help_panel=extra.get("panel"),
        metavar=extra.get("metavar"),
        show_default=False,
    )
    annotation: Any = kind if field.is_required() or (switch and default is False) else kind | None
    start: Any = inspect.Parameter.empty if field.is_required() else False if switch and default is False else None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=start, annotation=Annotated[annotation, option]
    )


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _kind(field: FieldInfo) -> Any:
    """The type that the command line reads: a text for everything that the model itself parses from text."""
    if _extra(field).get("repeat") or _extra(field).get("pairs"):
        return list[str]
    annotation = field.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
    return annotation if annotation in (bool, int, float, Path) else str


def _help(field: FieldInfo) -> str:
    """The help for a field, with its default, if it has a meaningful one, as the user would write it."""
    default = field.default
    if isinstance(default, tuple):
        default = (":" if all(isinstance(part, int | float) for part in default) else ",").join(map(str, default))
    shown = isinstance(default, str | int | float) and default not in ("", False, True)
    return f"{field.description} (default {default})" if shown else str(field.description)
