"""A tokenizer for the small tables of the study, for models that are trained from scratch on them.

    python recipes/study/tokenizer.py    # writes recipes/study/tokenizer/

A small model from scratch learns little if it has to spell each name in bytes. These are byte pairs like those of
larger models: any text can be written, a digit is always one token, and most words of the tables are one token each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
TOKENS = 2000
# How programs and solutions are written, besides the names.
WRITTEN = """SELECT COUNT(*) FROM w WHERE x = 'x' <= 1 >= 1 < 1 > 1
SELECT x FROM w ORDER BY x DESC LIMIT 1
SELECT MIN(x) FROM w ORDER BY x ASC LIMIT 1
SELECT MAX(x) FROM w
where
order by
- x: x 1 best, x 1
- x: x 1 >= 1 yes 1, x 1 sum 1
none no
Answer: 1"""


def texts() -> Iterator[str]:
    """What the tokenizer is made from: each table as prompts write it, its columns in SQL, and the other words."""
    for line in (HERE / "digits.jsonl").read_text(encoding="utf-8").splitlines():
        table = json.loads(line)
        for number, row in enumerate(table["rows"], start=1):
            cells = "; ".join(f"the {name} is {cell}" for name, cell in zip(table["header"], row, strict=True))
            yield f"Row {number}: {cells}.\n- {row[0]}:\n{table['header'][0]} = '{row[0]}'"
        yield "\n".join(f"SUM({name})" for name in table["header"])
        yield WRITTEN


def main() -> None:
    """Train the tokenizer and write it."""
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<end>"]
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=special[0], eos_token=special[1])
    whole.save_pretrained(HERE / "tokenizer")


if __name__ == "__main__":
    main()
