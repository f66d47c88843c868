"""A selection: the scores of a benchmark's prompt templates for one model, and the template that was chosen.

    selection = read_selection(Path("prompt.json"))
    exam = prepare(Asking(benchmark="gsm8k"), Path("GSM8K"), selection=selection)      # the test split

`symtune.evaluation.selecting` makes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from symtune.evaluation.config import Asking
from symtune.types import InputError

VERB = "select-prompt"
FORMAT = ("linearization", "shots")  # fields of Asking that belong to the choice, since templates were scored with them
LIMITS = ("max_new_tokens", "budget")
LARGEST = 1_000_000  # bytes of a selection file


class TemplateScore(BaseModel):
    """The score of a prompt template: the mean over the questions that were asked."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    template: str
    score: float
    n: int
    interval: tuple[float, float]
    verdicts: Mapping[str, int]
    truncated: int


class Selection(BaseModel):
    """A selection file. `asked`: how the questions were asked, apart from the template (None: the benchmark's default);
    `model`: the facts about the model. `path`: where the file was read.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    symtune: Literal["select-prompt"]
    benchmark: str
    split: str
    metric: str
    limit: int | None
    questions: int
    questions_sha256: str
    asked: Mapping[str, Any]
    model: Mapping[str, Any]
    minimum: float
    mean: float
    maximum: float
    chosen: str
    scores: tuple[TemplateScore, ...] = Field(min_length=1)
    versions: Mapping[str, str]
    path: str = Field(default="", exclude=True)

    def asking(self, asking: Asking) -> Asking:
        """How to ask the test split: as chosen, unless `asking` says otherwise. Raises InputError for another
        benchmark.
        """
        if asking.benchmark != self.benchmark:
            raise InputError(
                f"{self.path}: selected for {self.benchmark}, not {asking.benchmark}; select a prompt for it"
            )
        said = asking.model_fields_set
        chosen: dict[str, Any] = {"template": self.chosen, "split": "test"}
        chosen |= {name: self.asked.get(name) for name in (*FORMAT, *LIMITS) if self.asked.get(name) is not None}
        return asking.model_copy(update={name: value for name, value in chosen.items() if name not in said})

    def check_model(self, facts: Mapping[str, Any]) -> None:
        """Raise InputError if the prompt was chosen for another model."""
        if not self.is_of(facts):
            named, digest = ([str(of.get(key, "")) for of in (self.model, facts)] for key in ("name", "weights_sha256"))
            weights = f" (weights {digest[0][:12]}…, not {digest[1][:12]}…)" if all(digest) else ""
            raise InputError(
                f"{self.path}: selected for the model {named[0]}, not {named[1]}{weights}; select a prompt for it"
            )

    def is_of(self, facts: Mapping[str, Any]) -> bool:
        """Whether the facts are those of the model for which the prompt was chosen."""
        return same_model(self.model, facts)


def same_model(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two models are the same: by the digest of their weights, or, if that is not known, by name."""
    key = "weights_sha256" if one.get("weights_sha256") and other.get("weights_sha256") else "name"
    return one.get(key) == other.get(key)


def read_selection(path: Path) -> Selection:
    """The selection file. Raises InputError."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("symtune") != VERB:
        raise InputError(f"{path}: not a selection; wanted the file that `symtune {VERB}` writes")
    try:
        return Selection.model_validate({**found, "path": str(path)})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise InputError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
