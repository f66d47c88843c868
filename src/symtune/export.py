"""Export: a data set folder in another layout.

    export(Path("data/sql"), "input-output", Path("published"))

Layouts: `input-output` (Liu et al. 2023): parquet files with the columns `input` and `output`, one for each shard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import yaml

from symtune.dataset import Shard, shards, write_rows
from symtune.files import read_parquet
from symtune.output import MANIFEST, new_folder, read_manifest, sha256, versions, write_manifest
from symtune.types import UnknownName


def export(data: Path, to: str, out: Path, *, overwrite: bool = False) -> int:
    """Write the data set folder `data` to the folder `out` in the layout `to`, with a card and a manifest. Returns the
    number of examples. Raises UnknownName for an unknown layout, InputError if `data` is not a data set.
    """
    if to not in LAYOUTS:
        raise UnknownName("layout to export to", to, LAYOUTS)
    source, parts = read_manifest(data, "generate"), shards(data)
    with new_folder(out, overwrite=overwrite) as folder:
        (folder / "data").mkdir()
        examples = sum(LAYOUTS[to](part, folder / "data" / part.data.name) for part in parts)
        (folder / "README.md").write_text(_card(data, to, sorted({part.split for part in parts}), examples), "utf-8")
        written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        body = {
            "examples": examples,
            "source": {"arguments": source["arguments"], "manifest_sha256": sha256(data / MANIFEST)},
            "versions": versions("pyarrow"),
            "sha256": {name: sha256(folder / name) for name in written},
        }
        write_manifest(folder, "export", {"to": to}, body, {"data": str(data)})
    return examples


def _input_output(shard: Shard, path: Path) -> int:
    """The published layout: what the model reads, and what it must write."""
    schema = pa.schema([("input", pa.string()), ("output", pa.string())])
    rows = [
        {"input": row["prompt"], "output": row["completion"]}
        for row in read_parquet(shard.data, ["prompt", "completion"])
    ]
    write_rows(path, rows, schema)
    return len(rows)


LAYOUTS: Mapping[str, Callable[[Shard, Path], int]] = {"input-output": _input_output}


def _card(data: Path, to: str, splits: list[str], examples: int) -> str:
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    front = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    return (
        f"---\n{front}---\n\n# {examples:,} examples in the layout {to}\n\n"
        f"Exported by `symtune export {data.name} --to {to}`; manifest.json records the source.\n"
    )
