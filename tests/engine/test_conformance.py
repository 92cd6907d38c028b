"""The engine's part of the conformance data: no failure but those that the reviewed list of deviations covers."""

from __future__ import annotations

import importlib
import json

import pytest

from tests.conformance.__main__ import RUNNERS
from tests.conformance.cases import deviations, tally
from tests.conftest import SHARED

FILES = ("eval_truth_table.json", "filter_eval_cases.json", "evttype_index_cases.json", "replay_cases.json")


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_every_case_comes_out_as_falcos(file):
    folder = SHARED / "conformance"
    runner = importlib.import_module(f"tests.conformance.{RUNNERS[file]}")
    result = tally(file, runner.run(json.loads((folder / file).read_bytes()), folder), deviations())
    assert result.passed
    assert not result.failed
