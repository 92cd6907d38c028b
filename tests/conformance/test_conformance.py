"""Every case of the conformance data holds, or is a deviation with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import RUNNERS, runner
from tests.conformance.cases import deviations, run_folder

LEFT_OUT_AT_MOST = 12


@pytest.mark.shared
@pytest.mark.parametrize("name", RUNNERS)
def test_no_case_fails_outside_the_reviewed_deviations(name: str, shared: Path) -> None:
    folder = shared / "conformance"
    (tally,) = run_folder(folder, {name: runner(RUNNERS[name], folder)}, lambda path: json.loads(path.read_bytes()))
    assert tally.failed == ()
    assert tally.passed > 0


def test_every_deviation_has_a_reason_and_few_things_are_left_out() -> None:
    rows = deviations()
    assert all(len(row.reason) > 20 and row.kind in ("improvement", "left-out") for row in rows)
    assert sum(row.kind == "left-out" for row in rows) < LEFT_OUT_AT_MOST
