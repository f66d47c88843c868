"""Which prompts are answered together. Knows lengths alone, so a resumed evaluation deals the same batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# The most rows of a batch: what a step of writing makes for each row (scores of the whole vocabulary) has a bound too.
ROWS = 64
# The share of a batch's tokens that may be padding.
PADDING = 0.2


def deal(
    lengths: Mapping[int, int], new: int, *, tokens: int, rows: int = ROWS, padding: float = PADDING
) -> Iterator[list[int]]:
    """The indices of `lengths` (index -> tokens of the prompt) by falling length, each once, in batches. A batch is as
    large as it can be with answers of `new` tokens: at most `tokens` tokens, padding and answers included, at most
    `rows` rows, and at most the share `padding` of its prompts' tokens padding. A row alone is a batch however long.
    """
    batch: list[int] = []
    held = 0
    for index in sorted(lengths, key=lambda index: (-lengths[index], index)):
        size, longest = len(batch) + 1, lengths[batch[0] if batch else index]
        padded = size * longest - held - lengths[index]
        if batch and (size > rows or size * (longest + new) > tokens or padded > padding * size * longest):
            yield batch
            batch, held = [], 0
        batch.append(index)
        held += lengths[index]
    if batch:
        yield batch
