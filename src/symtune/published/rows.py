"""Rows of an input and an output: from files, from a folder of them, from the hub.

    for where, row in read_rows(Path("train.csv"), ("input", "output")): ...      # "train.csv:2", {"input": …}
    splits = open_splits(arguments)                  # what --dataset_name, --train_file, … name; reads no row yet
    splits["train"].rows(("input", "output"))        # a datasets.Dataset

Texts are taken as they are written: the loaders of `datasets` guess types, which makes 7 of `007`, and a missing value
of `NA`. A value that is no text is refused with its line. null is allowed, and counts as missing.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from symtune.files import json_objects, read_parquet
from symtune.releases import read_csv
from symtune.types import InputError, OutputError, SymtuneError

Columns = tuple[str, str]  # of the inputs, of the outputs
Row = dict[str, str | None]

FILES = {"train": "train_file", "validation": "validation_file", "test": "test_file"}
READ_AS = 1  # raise this when rows are read differently: what `datasets` has cached is then read again


def _json_rows(path: Path, columns: Columns) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in json_objects(path, wanted=f"an object with {' and '.join(columns)}"):
        yield entry.where, entry.value


def _parquet_rows(path: Path, columns: Columns) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(read_parquet(path, columns), 1):
        yield f"{path}: row {number}", row


LAYOUTS: Mapping[str, Callable[[Path, Columns], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".json": _json_rows,
    ".jsonl": _json_rows,
    ".csv": read_csv,
    ".parquet": _parquet_rows,
}


def layout_of(file: str) -> str:
    """The ending of a file's name that says how it is read; it may be followed by .gz or .zst. Raises InputError."""
    found = re.search(r"(\.\w+?)(\.gz|\.zst)?$", file.lower())
    if not found or found[1] not in LAYOUTS:
        raise InputError(f"{file}: wanted a file named {', '.join(LAYOUTS)}")
    return found[1]


def read_rows(path: Path, columns: Columns) -> Iterator[tuple[str, Row]]:
    """("file:line", the two columns) of each row of a file. Raises InputError, with file and line."""
    for where, row in LAYOUTS[layout_of(str(path))](path, columns):
        yield where, {column: _text(row, column, where) for column in columns}


def _text(row: Mapping[str, Any], column: str, where: str) -> str | None:
    if column not in row:
        raise InputError(f"{where}: no {column!r}; there is {', '.join(row) or 'nothing'}")
    value = row[column]
    if value is None:
        return None
    if not isinstance(value, str):
        shown = repr(value)
        raise InputError(
            f"{where}: {column} is {shown[:60]} ({type(value).__name__}), wanted a text in quotation marks"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{where}: {column} contains half of a surrogate pair, which is no character") from None
    return value


@dataclass(frozen=True)
class Split:
    """One split: the files that hold it, or, if it is not on this machine, the rows that `datasets` has loaded."""

    name: str
    files: tuple[str, ...] = ()
    loaded: Any = None
    cache_dir: str | None = None

    def rows(self, columns: Columns) -> Any:
        """Its rows, of which only the two columns are kept. Raises InputError for what is no text, or if there is no
        row.
        """
        if self.loaded is not None:
            return _checked(self.loaded, columns, self.name)
        texts = datasets.Features({column: datasets.Value("string") for column in columns})
        try:
            return datasets.Dataset.from_generator(
                _rows_of,
                features=texts,
                cache_dir=self.cache_dir,
                gen_kwargs={"files": self.files, "columns": columns},
                fingerprint=_fingerprint(self.files, columns),
            )
        except Exception as error:  # whatever the library raises; it wraps what its generator raised
            raise _fault(error, f"{', '.join(self.files)}:") from None


def _rows_of(files: Sequence[str], columns: Columns) -> Iterator[Row]:
    number = 0
    for file in files:
        for _, row in read_rows(Path(file), columns):
            number += 1
            yield row
    if not number:
        raise InputError(f"{', '.join(files)}: no rows; wanted rows of {' and '.join(columns)}")


def _fingerprint(files: Sequence[str], columns: Columns) -> str:
    """The name under which `datasets` caches the rows: of the files as they are now."""
    stats = [(file, Path(file).stat()) for file in files]
    said = (READ_AS, columns, [(file, stat.st_size, stat.st_mtime_ns) for file, stat in stats])
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def _checked(rows: Any, columns: Columns, split: str) -> Any:
    if not len(rows):
        raise InputError(f"the {split} split has no rows")
    for column in columns:
        if column not in rows.column_names:
            raise InputError(f"the {split} split: no column {column!r}; there is {', '.join(rows.column_names)}")
        kind = getattr(rows.features[column], "dtype", type(rows.features[column]).__name__)
        if kind not in ("string", "large_string"):
            raise InputError(f"the {split} split: the column {column!r} holds {kind}, wanted texts")
    return rows.select_columns(list(columns))


# ------------------------------------------------------------------------------------------------------------- splits


def open_splits(arguments: Any, cache_dir: str | None = None, token: bool = False) -> dict[str, Split]:
    """The splits that the arguments name. Raises InputError if they cannot be found. Local rows are not read yet."""
    found: dict[str, Split] = {}
    name = arguments.dataset_name
    if name is not None and Path(name).is_dir():
        found |= _folder(name, cache_dir)
    elif name is not None:
        if Path(name).is_file():
            raise InputError(f"--dataset_name {name}: a file; wanted a folder or a name on the hub (or --train_file)")
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            raise InputError(f"--dataset_name {name}: no such folder")
        found |= _loaded(f"--dataset_name {name}: no such folder, and", cache_dir, path=name, token=token or None)
    for split, flag in FILES.items():
        file = getattr(arguments, flag)
        if file is None:
            continue
        layout = layout_of(file)
        if "://" in file:
            builder = "json" if layout == ".jsonl" else layout[1:]
            found |= _loaded(f"{file}:", cache_dir, path=builder, data_files={split: file})
        elif Path(file).is_file():
            found[split] = Split(split, (file,), cache_dir=cache_dir)
        else:
            raise InputError(f"--{flag} {file}: {'a folder, wanted a file' if Path(file).is_dir() else 'no such file'}")
    return found


def split_of(splits: Mapping[str, Split], split: str, flag: str) -> Split:
    """A split. Raises InputError if it is missing."""
    if split not in splits:
        raise InputError(
            f"--{flag} needs a {split} split; there is {', '.join(splits) or 'none'}; name a file with --{FILES[split]}"
        )
    return splits[split]


def _folder(name: str, cache_dir: str | None) -> dict[str, Split]:
    """The splits of a folder, which `datasets` knows from the names of its files, or from its card."""
    try:
        builder = datasets.load_dataset_builder(name, cache_dir=cache_dir)
        files = {str(split): tuple(map(str, its)) for split, its in (builder.config.data_files or {}).items()}
    except Exception as error:  # whatever the library raises
        raise _fault(error, f"--dataset_name {name}:") from None
    if not files:
        raise InputError(f"--dataset_name {name}: no files named {', '.join(LAYOUTS)} in it")
    for file in (file for its in files.values() for file in its):
        layout_of(file)
    return {split: Split(split, its, cache_dir=cache_dir) for split, its in files.items()}


def _loaded(shown: str, cache_dir: str | None, **options: Any) -> dict[str, Split]:
    try:
        loaded = datasets.load_dataset(cache_dir=cache_dir, **options)
    except Exception as error:  # whatever the library and the client of the hub raise
        raise _fault(error, shown) from None
    return {split: Split(split, loaded=rows) for split, rows in loaded.items()}


def not_cached(error: OSError) -> OutputError:
    """`datasets` keeps rows and tokens in files, and could not write one."""
    return OutputError(
        f"the data cannot be cached in {datasets.config.HF_DATASETS_CACHE}: {error.strerror or error}; make room, or "
        "set HF_DATASETS_CACHE to another folder"
    )


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _fault(error: BaseException, shown: str) -> SymtuneError:
    """What a library raised, as one line; our own fault, if it was one that was wrapped."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return cause
        if isinstance(cause, OSError) and cause.errno in FULL:
            return not_cached(cause)
        cause = cause.__cause__
    reason = " ".join(str(error.__cause__ or error).split())[:300] or type(error).__name__
    return InputError(f"{shown} cannot be loaded: {reason}")
