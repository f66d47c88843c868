"""What evaluation needs from a model, whatever it runs on. `symtune.models` opens one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from symtune.types import Completion


class Model(Protocol):
    """A model that answers prompts."""

    @property
    def name(self) -> str:
        """The name by which the user refers to it."""

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, done: Collection[int] = ()
    ) -> Iterator[tuple[int, Completion]]:
        """(index, completion) for each prompt, in any order, as they become available; no prompt is cut. Prompts whose
        index is in `done` have been answered before and may be left out; the others get the same completions as they
        would together with these.
        """

    def measure(self, text: str) -> int:
        """The number of tokens of the text as a prompt for this model."""

    def room(self, new: int) -> int:
        """The longest prompt, in tokens, that leaves room for an answer of `new` tokens."""

    def facts(self) -> Mapping[str, Any]:
        """Everything that determines its completions besides the prompts, as far as it is known: for manifests, and so
        that an interrupted evaluation recognizes the model.
        """
