"""One address -> one file."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path

from symtune.types import InputError

TIMEOUT = 60  # seconds without a byte
LARGEST = 2**31  # bytes; the largest release is about 800 MB
CHUNK = 1 << 20


def download(address: str, path: Path) -> None:
    """Download a web address to a file. Raises InputError unless it can be downloaded completely."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
                promised = response.headers.get("Content-Length")
                got = 0
                while chunk := response.read(CHUNK):
                    got += len(chunk)
                    if got > LARGEST:
                        raise InputError(f"{address} is larger than {LARGEST:,} bytes")
                    stream.write(chunk)
        except urllib.error.HTTPError as error:
            raise InputError(f"{address} cannot be downloaded: HTTP {error.code} {error.reason}") from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise InputError(f"{address} cannot be reached: {said}") from None
    if promised is not None and promised.isdecimal() and got < int(promised):
        raise InputError(f"{address} broke off after {got:,} of {int(promised):,} bytes")
