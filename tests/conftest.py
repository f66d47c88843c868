"""Shared fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# No wall clock in a test: machines are shared. The same examples every time: a red build means a change.
settings.register_profile("symtune", deadline=None, derandomize=True)
settings.load_profile("symtune")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real benchmark data beside the checkout; tests that need it are skipped if it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("shared/data is not beside this checkout: tests on real benchmark data need it")
    return folder
