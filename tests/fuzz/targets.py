"""What is fuzzed: functions of bytes that must never raise, whatever they are given. Seeds are the tests' own files."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ruleng.engine.compile import compile_rules
from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.fields.record import to_fields
from ruleng.lang.convert import convert_sources
from ruleng.lang.load import load_sources
from ruleng.lang.report import render_text
from ruleng.lang.source import Source
from ruleng.metrics import LossLedger
from ruleng.normalise.audit import AuditNormaliser
from ruleng.pipeline.clock import SystemClock
from ruleng.ports import Demand
from ruleng.sources.audit.reader import Reader
from ruleng.state import Limits, State

ROOT = Path(__file__).parents[2]
EVERYTHING = Demand(event_types=standard().event_types, fields=frozenset(standard().fields))


def audit(data: bytes) -> list[Event]:
    """A log, fed in two pieces whose border the first byte chooses; every event is read to the last field."""
    ledger = LossLedger(SystemClock())
    reader = Reader(ledger, "fuzz")
    normaliser = AuditNormaliser(State(None, SystemClock(), Limits(), ledger), ledger)
    normaliser.demand(EVERYTHING)
    border = data[0] if data else 0
    found = [*reader.feed(data[1:border]), *reader.feed(data[max(border, 1) :]), *reader.flush()]
    events = [event for one in found for event in normaliser.events(one)]
    for event in events:
        to_fields(event)
    return events


def rules(data: bytes) -> None:
    """A .rules file: every diagnostic can be shown, and what has no errors compiles."""
    _load(Source("fuzz.rules", data.decode("utf-8", "replace")))


def falco(data: bytes) -> None:
    """A Falco file, which besides converts."""
    source = Source("fuzz.yaml", data.decode("utf-8", "replace"))
    _load(source)
    convert_sources([source])


def _load(source: Source) -> None:
    loaded = load_sources([source], standard())
    render_text(loaded.diagnostics)
    if not any(diagnostic.is_error for diagnostic in loaded.diagnostics):
        compile_rules(loaded.rules, standard())


TARGETS: Mapping[str, Callable[[bytes], object]] = {"audit": audit, "rules": rules, "falco": falco}

_SEEDS = {
    "audit": ("rules/demo/*.log.gz", "tests/sources/audit/*.log"),
    "rules": ("rules/*.rules",),
    "falco": ("../shared/falco-rules/*.yaml",),
}
_SEED_BYTES = 4096  # the shorter, the more of them a second


def seeds(target: str) -> Iterator[bytes]:
    """Real input, in pieces that begin at the start of an item or line."""
    for pattern in _SEEDS[target]:
        for path in sorted(ROOT.glob(pattern)):
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            yield from (data[start : start + _SEED_BYTES] for start in range(0, min(len(data), 16 * _SEED_BYTES), _SEED_BYTES))
    if target == "falco":
        yield b"- list: l\n  items: [a, 'b c']\n- macro: m\n  condition: proc.name in (l)\n- rule: r\n  desc: d\n  priority: INFO\n"
        yield b"- rule: r\n  condition: evt.type = open and m\n  output: '%proc.name'\n  desc: d\n  priority: INFO\n  exceptions:\n"
