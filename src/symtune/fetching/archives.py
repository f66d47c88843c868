"""Extracts the files of a release from a zip or tar archive. Nothing is written outside the folder, and no more than a
release can contain.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

from symtune.types import InputError

LARGEST = 2**32  # bytes unpacked; an archive that unpacks to more is not that of a benchmark
CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError, NotImplementedError)


def unpack(archive: Path, folder: Path, *, inside: str = "", keep: tuple[str, ...] = ()) -> None:
    """Write files of an archive into a folder: those below its folder `inside` whose paths begin with one of `keep`
    (empty: all). Raises InputError if it is not such an archive, or if it would write elsewhere.
    """
    left = LARGEST
    written = 0
    try:
        for name, stream in _files(archive):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name:
                raise InputError(f"the archive contains {name!r}, which leads out of its folder")
            if inside:
                if not path.is_relative_to(inside):
                    continue
                path = path.relative_to(inside)
            if keep and not path.as_posix().startswith(keep):
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as output:
                while chunk := stream.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise InputError(f"the archive unpacks to more than {LARGEST:,} bytes")
                    output.write(chunk)
            written += 1
    except _BROKEN as error:
        raise InputError(f"not a whole zip or tar archive: {error}") from None
    if not written:
        wanted = " or ".join(f"{inside}/{start}" if inside else start for start in keep or ("",))
        raise InputError(f"the archive contains no files below {wanted}")


def _files(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The names and contents of an archive's plain files, in the order of the archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for member in packed.infolist():
                if not member.is_dir():
                    with packed.open(member) as stream:
                        yield member.filename, stream
        return
    with tarfile.open(archive) as unpacked:
        for found in unpacked:
            content = unpacked.extractfile(found) if found.isfile() else None
            if content is not None:
                with content:
                    yield found.name.removeprefix("./"), content
