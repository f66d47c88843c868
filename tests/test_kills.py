"""A training that is killed with SIGKILL and resumed ends like one that was not, to the last bit (`bench/kills.py`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import kills


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kills")
    kills.prepare(folder)
    return folder


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("verb", [kills.TRAIN, kills.PUBLISHED])
def test_three_kills_change_nothing(verb: str, processes: int, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = kills.kill_and_resume(verb, processes, 3, 7, prepared)
    assert found.kills == 3
    assert found.trainings >= 1
    assert found.different == 0
