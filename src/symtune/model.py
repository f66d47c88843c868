"""What evaluation needs from a model, whatever it runs on. `symtune.models` opens one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from symtune.types import Completion


class Model(Protocol):
    """A model that answers prompts."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, done: Collection[int] = ()
    ) -> Iterator[tuple[int, Completion]]:
        """(index, completion) of each prompt, in any order, as they come; none is cut. Prompts whose index is in `done`
        were answered before and may be left out: the others get the completions that they would get beside them.
        """

    def measure(self, text: str) -> int:
        """How many tokens the text is as a prompt of this model."""

    def room(self, new: int) -> int:
        """The longest prompt, in tokens, behind which an answer of `new` tokens can be written."""

    def facts(self) -> Mapping[str, Any]:
        """All that decides its completions besides the prompts, as far as it is known: for manifests, and for an
        interrupted evaluation to know the model again.
        """
