"""Sort words: a user's own task, with options, rejects and balance."""

from pydantic import Field

from symtune.config import WholeRange
from symtune.prompts import PromptTemplate
from symtune.task import Options, SymbolicTask
from symtune.types import Denotation, Rejected, Traits

WORDS = "ash birch cedar elm fir hazel juniper larch maple oak pine rowan spruce willow yew".split()


class SortOptions(Options):
    words: WholeRange = Field(default=(1, 6), description="Words to sort, LOW:HIGH.")


class SortWords(SymbolicTask):
    name, version, needs_tables = "sort_words", 1, False
    options = SortOptions
    templates = (
        PromptTemplate("sort_words/plain", "Sort these words: {{ words }}"),
        PromptTemplate("sort_words/polite", "Please write in alphabetical order: {{ words }}"),
    )

    def sample(self, rng, setting):
        options = setting.options if isinstance(setting.options, SortOptions) else SortOptions()
        chosen = rng.sample(WORDS, rng.randint(*options.words))
        if len(chosen) == 1:
            raise Rejected("nothing to sort")
        return {"words": chosen}

    def execute(self, fields):
        if not fields["words"]:
            raise Rejected("empty")
        return Denotation(tuple((word,) for word in sorted(fields["words"])), ordered=True, kind="list[text]")

    def describe(self, fields, denotation):
        size = len(fields["words"])
        kind = "two words" if size == 2 else "more words"
        return Traits(query_type=kind, chance=1 / size, difficulty=float(size), classes=(kind,))

    def bounds(self, setting):
        return {"two words": 0.2}

    def shown(self, fields):
        return {"words": ", ".join(fields["words"])}


TASK = SortWords()
