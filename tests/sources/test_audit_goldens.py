"""What real records of audit say, log by log: `tests/sources/audit/NAME.log` and its events, NAME.jsonl.

RULENG_UPDATE_GOLDENS=1 rewrites them; review the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ruleng.fields.record import Record
from ruleng.sources.audit.auparse import AuparseReader
from tests.bench.auditlog import lines
from tests.sources.audit import LOGS, Places, records


def names(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("log", LOGS, ids=names)
def test_a_log_says_what_stands_beside_it(log: Path) -> None:
    losses = Places()
    found: list[Record] = records(log.read_bytes(), losses, log.name)
    found += [{"lost": reason, "at": place} for _, reason, place in losses.all]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in found)
    golden = log.with_suffix(".jsonl")
    if os.environ.get("RULENG_UPDATE_GOLDENS"):
        golden.write_text(text)
    assert text == golden.read_text(), f"{golden} differs: see RULENG_UPDATE_GOLDENS in {__file__}"


def test_no_golden_is_without_its_log() -> None:
    assert {path.stem for path in LOGS} == {path.stem for path in LOGS[0].parent.glob("*.jsonl")}


def plain(data: bytes) -> bytes:
    """Without what auditd added: libauparse does not hand it on."""
    return b"".join(line.partition(b"\x1d")[0].rstrip(b"\n") + b"\n" for line in data.splitlines(keepends=True))


def compared(found: list[Record]) -> list[str]:
    """As lines, without their order: libauparse closes events by its own clock."""
    return sorted(json.dumps(record, sort_keys=True) for record in found)


@pytest.mark.peers
@pytest.mark.parametrize("log", LOGS, ids=names)
def test_libauparse_and_ruleng_agree_on_a_log(log: Path) -> None:
    ours, theirs = Places(), Places()
    data = plain(log.read_bytes())
    expected = records(data, theirs, backend=AuparseReader(theirs, "log"))
    assert compared(records(data, ours)) == compared(expected)
    assert [reason for _, reason, _ in ours.all] == [reason for _, reason, _ in theirs.all]


@pytest.mark.peers
@pytest.mark.parametrize("is_enriched", [False, True], ids=["raw", "enriched"])
def test_libauparse_and_ruleng_agree_on_2000_events_of_a_busy_host(is_enriched: bool) -> None:
    data = plain("".join(lines(10_000, enriched=is_enriched)).encode())
    losses = Places()
    ours, theirs = records(data, losses), records(data, losses, backend=AuparseReader(losses, "log"))
    assert len(ours) >= 2_000
    assert losses.all == []
    assert compared(ours) == compared(theirs)
