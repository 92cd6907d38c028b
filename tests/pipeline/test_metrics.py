"""What a run counts, and what it says about itself."""

from __future__ import annotations

import json
import threading

import orjson

from ruleng.alert import Outcome, Priority
from ruleng.event import Event
from ruleng.fields.params import event_type
from ruleng.metrics import LossLedger, RunStats, as_json, summary
from tests.sinks.fakes import Clock
from tests.sinks.samples import alert


def test_losses_are_told_by_place_and_reason_with_times_and_the_first_sample() -> None:
    clock = Clock(now_ns=100)
    ledger = LossLedger(clock)
    ledger.lost("audit.parse", "no type", sample="audit.log:7")
    clock.wall_ns = 200
    ledger.lost("audit.parse", "no type", 4, sample="audit.log:99")
    ledger.lost("sink.file", "its queue was full", 2)
    parse, sink = ledger.losses()
    assert (parse.where, parse.reason, parse.count) == ("audit.parse", "no type", 5)
    assert (parse.first_ns, parse.last_ns, parse.sample) == (100, 200, "audit.log:7")
    assert (sink.count, sink.sample) == (2, None)


def test_a_drained_loss_is_an_event_that_rules_can_match() -> None:
    clock = Clock(now_ns=100)
    ledger = LossLedger(clock)
    ledger.lost("audit.kernel", "the kernel's queue was full", 3, sample="serial 7")
    clock.wall_ns = 300
    ledger.lost("audit.kernel", "the kernel's queue was full", 2)
    (event,) = ledger.drain()
    assert event == Event(
        type="ruleng.lost",
        time_ns=300,
        origin="ruleng",
        args={
            "count": 5,
            "where": "audit.kernel",
            "reason": "the kernel's queue was full",
            "source": "audit",
            "sample": "serial 7",
            "types": (),
            "first": 100,
            "last": 300,
        },
    )


def test_the_event_has_the_parameters_that_its_type_declares() -> None:
    ledger = LossLedger(Clock())
    ledger.lost("audit.kernel", "why", sample="where")
    (event,) = ledger.drain()
    assert set(event.args) == {parameter.name for parameter in event_type("ruleng.lost").params}


def test_a_sink_is_no_source_of_events() -> None:
    ledger = LossLedger(Clock())
    ledger.lost("sink.http", "its queue was full")
    (event,) = ledger.drain()
    assert "source" not in event.args


def test_each_loss_is_drained_once_and_stays_in_the_total() -> None:
    ledger = LossLedger(Clock())
    ledger.lost("a", "x", 2)
    assert [event.args["count"] for event in ledger.drain()] == [2]
    assert ledger.drain() == []
    ledger.lost("a", "x", 3)
    assert [event.args["count"] for event in ledger.drain()] == [3]
    assert [loss.count for loss in ledger.losses()] == [5]


def test_causes_without_end_are_counted_together() -> None:
    ledger = LossLedger(Clock())
    for number in range(1500):
        ledger.lost("audit.parse", f"bad record {number}")
    losses = ledger.losses()
    assert len(losses) <= 1001
    assert sum(loss.count for loss in losses) == 1500
    assert (losses[-1].where, losses[-1].reason, losses[-1].count) == ("audit", "other reasons", 500)


def test_losses_may_come_from_many_threads() -> None:
    ledger = LossLedger(Clock())
    told: list[int] = []

    def lose() -> None:
        for _ in range(2000):
            ledger.lost("sink.file", "why")

    threads = [threading.Thread(target=lose) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        told += [int(str(event.args["count"])) for event in ledger.drain()]
    told += [int(str(event.args["count"])) for event in ledger.drain()]
    assert sum(told) == sum(loss.count for loss in ledger.losses()) == 8000


def busy() -> RunStats:
    clock = Clock()
    stats = RunStats(clock)
    stats.saw([Event(type=type_, time_ns=1) for type_ in ("open", "open", "execve")] * 1000)
    for _ in range(3):
        stats.matched("Shell in container")
    for number in range(2):
        stats.alerted(alert(number, rule="Shell in container", priority=Priority.CRITICAL, suppressed=number))
    for number in range(12):
        stats.alerted(alert(number, rule="open\x1b[2J", priority=Priority.NOTICE))
    stats.acted(Outcome(action="kill", outcome="done"))
    stats.acted(Outcome(action="kill", outcome="refused"))
    stats.acted(Outcome(action="kill", outcome="done"))
    stats.ledger.lost("audit.kernel", "the kernel's queue was full", 1234, sample="serial 7")
    stats.ledger.lost("sink.http", "its queue was full", 5)
    stats.spent("match", 1_500_000_000)
    stats.spent("act", 40_000_000)
    stats.spent("match", 100_000_000)
    clock.pass_s(2.5)
    return stats


def test_the_summary_of_a_busy_run() -> None:
    assert summary(busy()).splitlines() == [
        "3,000 events in 2.5 s, 1,200 events/s",
        "14 alerts, 1 more held back by throttles",
        "   2  Critical  Shell in container",
        r"  12  Notice    open\x1b[2J",
        "actions: kill done 2, kill refused 1",
        "lost: 1,239",
        "  1,234  audit.kernel  the kernel's queue was full (first: serial 7, 2023-11-14T22:13:20Z to 2023-11-14T22:13:20Z)",
        "      5  sink.http     its queue was full, 2023-11-14T22:13:20Z to 2023-11-14T22:13:20Z",
        "time: match 1.6 s, act 0.0 s",
    ]


def test_the_summary_of_a_run_without_events() -> None:
    assert summary(RunStats(Clock())).splitlines() == ["0 events in 0.0 s, 0 events/s", "0 alerts", "nothing was lost"]


def test_the_counters_as_json() -> None:
    stats = busy()
    stats.sinks = {"file": {"alerts": 14}}
    document = json.loads(orjson.dumps(as_json(stats)))
    assert document["events"] == 3000
    assert document["events_by_type"] == {"open": 2000, "execve": 1000}
    assert document["events_per_s"] == 1200
    assert document["matches"] == {"Shell in container": 3}
    assert document["alerts"][0] == {"rule": "Shell in container", "priority": "Critical", "count": 2}
    assert document["suppressed"] == {"Shell in container": 1}
    assert document["actions"][0] == {"action": "kill", "outcome": "done", "count": 2}
    assert [loss["count"] for loss in document["lost"]] == [1234, 5]
    assert document["stages_s"] == {"match": 1.6, "act": 0.04}
    assert document["sinks"] == {"file": {"alerts": 14}}
