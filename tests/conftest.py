"""Shared fixtures."""

from __future__ import annotations

from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder-decoder, `model`, and data in the published layout, `data`."""
    import published_toy

    return published_toy.prepare(tmp_path_factory.mktemp("published"))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch computes with one thread: machines are shared."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
