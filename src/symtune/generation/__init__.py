"""Generation: tasks -> verified examples -> a data set folder.

manifest = generate(GenerateConfig(out=Path("data/sql"), n=20_000, seed=7))

config       what to generate
shards       blocks -> examples -> one shard, a pure function of the arguments and its number
driver       shards in order -> the folder: duplicates dropped, cut at n, the same bytes on any number of workers
statistics   counts of what a data set contains
card, plots  the statistics for people
"""

from symtune.generation.config import GenerateConfig
from symtune.generation.driver import generate

__all__ = ["GenerateConfig", "generate"]
