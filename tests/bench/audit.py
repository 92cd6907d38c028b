"""Audit log to decision, beside laurel: `python -m tests.bench.audit`.

One generated log, in the form in which auditd hands it to plugins, is read whole by all of them, one after the other. Numbers
are CPU time of one core, the median of three runs; ruleng's are without its start, laurel's are those of the whole process
with its packaged configuration. What to trust across machines are ratios within one run.
"""

from __future__ import annotations

import gc
import os
import pwd
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from ruleng.cli.main import COLLECT_EVERY
from ruleng.engine.compile import compile_rules
from ruleng.engine.ruleset import RuleSet
from ruleng.fields.catalogue import standard
from ruleng.lang.load import load_rules
from ruleng.metrics import LossLedger
from ruleng.normalise.audit import AuditNormaliser
from ruleng.pipeline.clock import SystemClock
from ruleng.ports import Demand
from ruleng.sources.audit.reader import Reader
from ruleng.state import Limits, State
from tests.bench.auditlog import lines

RECORDS = 300_000
RUNS = 3
CHUNK = 262_144  # as the sources read
ROOT = Path(__file__).resolve().parents[2]
FALCO = tuple(ROOT.parent / "shared/falco-rules" / name for name in ("falco_rules.yaml", "falco-incubating_rules.yaml"))
SHIPPED = tuple(sorted((ROOT / "rules").glob("*.rules")))
LAUREL_CONFIG = Path("/etc/laurel/config.toml")


def log(records: int, *, enriched: bool) -> bytes:
    """With the EOE that closes each event on its way to a plugin."""
    return "".join(_closed(lines(records, enriched=enriched))).encode()


def _closed(log_lines: Iterator[str]) -> Iterator[str]:
    for stamp, records in groupby(log_lines, lambda line: line[line.index("msg=") : line.index("): ") + 3]):
        event = list(records)
        yield from event
        if event[0].startswith("type=SYSCALL "):
            yield f"type=EOE {stamp}\n"


def parse(data: bytes) -> int:
    """How many events."""
    reader = Reader(LossLedger(SystemClock()))
    count = 0
    for start in range(0, len(data), CHUNK):
        count += len(reader.feed(data[start : start + CHUNK]))
    return count + len(reader.flush())


def normalise(data: bytes, demand: Demand, decide: Callable[..., object] | None = None) -> int:
    """How many of the events that were asked for; each is handed to `decide`."""
    clock = SystemClock()
    ledger = LossLedger(clock)
    state = State(None, clock, Limits(), ledger, fields=demand.fields)
    reader, normaliser = Reader(ledger), AuditNormaliser(state, ledger)
    normaliser.demand(demand)
    count = 0
    for start in range(0, len(data) + CHUNK, CHUNK):
        found = reader.feed(data[start : start + CHUNK]) if start < len(data) else reader.flush()
        for event in normaliser.batch(found):
            count += 1
            if decide is not None:
                decide(event)
    return count


def laurel(data: Path) -> None:
    """Raises CalledProcessError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.toml")
        text = re.sub(r"(?m)^directory = .*$", f'directory = "{folder}"', LAUREL_CONFIG.read_text())
        config.write_text(re.sub(r"(?m)^user = .*$", f'user = "{pwd.getpwuid(os.geteuid()).pw_name}"', text))
        with data.open("rb") as stdin:
            subprocess.run(
                ["laurel", "-c", str(config)], stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
            )


def _cpu_s(work: Callable[[], object]) -> float:
    """Of this process and of the children that it waits for."""

    def now() -> float:
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def once() -> float:
        started = now()
        work()
        return now() - started

    return statistics.median(once() for _ in range(RUNS))


def _rules(paths: Sequence[Path]) -> RuleSet:
    return compile_rules(load_rules(paths, standard()).rules, standard())


def _missing() -> str | None:
    """Why there is nothing to compare with."""
    if shutil.which("laurel") is None:
        return "laurel is not installed (apt-get install laurel)"
    return None if LAUREL_CONFIG.exists() else f"laurel's {LAUREL_CONFIG} is missing"


def main() -> None:
    everything = Demand(event_types=standard().event_types, fields=frozenset(standard().fields))
    rule_sets = {"shipped rules": _rules(SHIPPED)}
    if all(path.exists() for path in FALCO):
        rule_sets["Falco's stable and incubating rules"] = _rules(FALCO)
    else:
        print("Falco's rules are not there: ../shared/falco-rules is missing")
    gc.set_threshold(COLLECT_EVERY, 10, 10)  # as the program runs
    gc.freeze()
    for enriched in (False, True):
        data = log(RECORDS, enriched=enriched)
        events, records = parse(data), data.count(b"\n")
        print(f"{'enriched' if enriched else 'plain'}: {records:,} records, {events:,} events, {len(data) / 1e6:.0f} MB")
        seconds = {
            "parse": _cpu_s(partial(parse, data)),
            "parse and normalise all": _cpu_s(partial(normalise, data, everything)),
        }
        for name, rules in rule_sets.items():
            seconds[f"to decision, {name}"] = _cpu_s(partial(normalise, data, rules.demand, rules.match))
        missing = _missing()
        if missing is None:
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                seconds["laurel"] = _cpu_s(partial(laurel, Path(file.name)))
        for name, taken in seconds.items():
            ratio = f", {seconds['laurel'] / taken:5.2f} x laurel" if "laurel" in seconds else ""
            print(f"  {name:50} {events / taken:9,.0f} events per CPU second{ratio}", flush=True)
        if missing is not None:
            print(f"  nothing to compare with: {missing}")


if __name__ == "__main__":
    main()
