"""Prompt templates: jinja2 text with declared placeholders, in YAML files in this folder.

    placeholders: [table, sql]
    templates:
      plain: |-
        {{ table }}
        {{ sql }}

Every template uses all declared placeholders and no others. Values are filled in as they are: braces in a cell stay
braces. A template that consists only of text and `{{ name }}` is joined from its parts, which gives the same result as
jinja2 (a law that the tests enforce) at a hundredth of the cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from symtune.types import InputError, UnknownName

FOLDER = Path(__file__).resolve().parent
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)


@dataclass(frozen=True)
class PromptTemplate:
    """A prompt template. `placeholders` are the names that its text uses. Raises InputError for a broken template."""

    id: str
    text: str
    placeholders: frozenset[str] = field(init=False, compare=False)
    # (text, name, text, name, …, text) for a template of plain placeholders; else it is compiled
    _parts: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _compiled: jinja2.Template | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        try:
            tree = _ENVIRONMENT.parse(self.text)
            parts = _plain_parts(tree)
            compiled = _ENVIRONMENT.from_string(self.text) if parts is None else None
        except jinja2.TemplateError as error:
            line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
            raise InputError(f"prompt template {self.id}{line}: {error}") from None
        object.__setattr__(self, "placeholders", frozenset(meta.find_undeclared_variables(tree)))
        object.__setattr__(self, "_parts", parts or ())
        object.__setattr__(self, "_compiled", compiled)

    @property
    def key(self) -> str:
        """Its name, without the name of its file."""
        return self.id.rpartition("/")[2]

    def __reduce__(self) -> tuple[type[PromptTemplate], tuple[str, str]]:
        return PromptTemplate, (self.id, self.text)  # a template compiled by jinja2 cannot be sent to another process

    def render(self, fields: Mapping[str, str]) -> str:
        """The prompt with every placeholder filled. Raises InputError if a field is missing or fails."""
        try:
            if self._compiled is not None:
                return self._compiled.render({name: fields[name] for name in self.placeholders})
            parts = list(self._parts)
            parts[1::2] = [fields[name] for name in parts[1::2]]
            return "".join(parts)
        except KeyError as error:
            needed = _listed(self.placeholders)
            raise InputError(f"prompt template {self.id}: no field {error.args[0]!r}; it needs {needed}") from None
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, OverflowError) as error:
            raise InputError(f"prompt template {self.id}: {type(error).__name__}: {error}") from None


def _plain_parts(tree: nodes.Template) -> tuple[str, ...] | None:
    """Texts and names, alternating, if the template consists only of these, else None."""
    parts = [""]
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                parts[-1] += node.data
            elif isinstance(node, nodes.Name):
                parts += [node.name, ""]
            else:
                return None
    return tuple(parts)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


@cache
def load_templates(name: str) -> tuple[PromptTemplate, ...]:
    """The templates of `NAME.yaml` in this folder, in the order of the file; ids are `NAME/KEY`.

    Raises UnknownName if there is no such file.
    """
    known = [file.stem for file in FOLDER.glob("*.yaml")]
    if name not in known:
        raise UnknownName("prompt template file", name, known)
    return read_templates(FOLDER / f"{name}.yaml")


def read_templates(path: Path) -> tuple[PromptTemplate, ...]:
    """The templates of a YAML file; ids are `FILE/KEY`. Raises InputError, with the file's name, for a file that cannot
    be read, and for a template that uses an undeclared placeholder or leaves out a declared one.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not a readable YAML file of prompt templates: {error}") from None
    declared, texts = _check(content, path)
    templates = []
    for key, text in texts.items():
        template = PromptTemplate(f"{path.stem}/{key}", text)
        if template.placeholders != declared:
            raise InputError(
                f"{path}: template {key!r} uses the placeholders {_listed(template.placeholders) or 'none'}, "
                f"declared are {_listed(declared)}; use each of them"
            )
        templates.append(template)
    return tuple(templates)


def _check(content: Any, path: Path) -> tuple[frozenset[str], dict[str, str]]:
    wanted = "wanted `placeholders:` (a list of names) and `templates:` (texts by name)"
    if not isinstance(content, dict) or set(content) != {"placeholders", "templates"}:
        raise InputError(f"{path}: {wanted}")
    names, texts = content["placeholders"], content["templates"]
    if not isinstance(names, list) or not isinstance(texts, dict) or not texts:
        raise InputError(f"{path}: {wanted}")
    for key, text in texts.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise InputError(f"{path}: template {key!r} is not a text under a (quoted) name")
    return frozenset(map(str, names)), texts
