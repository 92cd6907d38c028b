"""What watching this host costs: `python -m tests.bench.audit_live`, by hand and as root, for two minutes.

Loads of a user of the bench's own run without any audit, with kernel rules for whole event types, and with those that the
rules' filters narrow: how many events ruleng sees, how busy it is, and by how much each load is slowed down. Then what rules
cost a system call that none of them is about. Numbers are CPU time, the median of several rounds, and of a host on which
nothing else is audited meanwhile; what to trust across machines are ratios within one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ruleng.abi.syscalls import I386, X86_64
from ruleng.engine.compile import compile_rules
from ruleng.fields.catalogue import standard
from ruleng.lang.load import load_rules
from ruleng.sources.audit import checks
from ruleng.sources.audit.kernel_rules import pack
from ruleng.sources.audit.live import AuditLive
from ruleng.sources.audit.netlink import Control
from ruleng.state import Limits, ProcReader, State

RULES = Path(__file__).resolve().parents[2] / "rules"
UID = 54_399
OPENS = 20_000
PROGRAMS = 400
UNRELATED = 300_000


# --- loads, each in a process of its own ----------------------------------------------------------------------------------------


def missing() -> None:
    for _ in range(OPENS):
        with suppress(OSError):
            os.open("/etc/there-is-no-such-file", os.O_RDONLY)


def reading() -> None:
    for _ in range(OPENS):
        os.close(os.open("/etc/hostname", os.O_RDONLY))


def programs() -> None:
    """A shell that starts a program by way of another one that searches $PATH for it: fork, exec and libraries."""
    os.environ["PATH"] = "/no/such/directory:/nor/this:/usr/local/bin:/usr/bin:/bin"
    loop = f"i=0; while [ $i -lt {PROGRAMS} ]; do env true; i=$((i+1)); done"
    subprocess.run(["/bin/sh", "-c", loop], check=True)


@dataclass(frozen=True, slots=True)
class Load:
    title: str
    run: Callable[[], None]
    times: int


LOADS = (
    Load(f"{OPENS} opens of a file that is not there", missing, OPENS),
    Load(f"{OPENS} opens to read", reading, OPENS),
    Load(f"{PROGRAMS} times sh -> env -> true", programs, PROGRAMS),
)


def cpu_of(load: Load) -> tuple[float, float]:
    """(CPU seconds, seconds) of the load in a child that is the bench's user."""
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
        load.run()
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"the load `{load.title}` ended with status {status}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started


# --- ruleng, in a process of its own ------------------------------------------------------------------------------------------


class Ledger:
    def __init__(self) -> None:
        self.count = 0

    def lost(self, where: str, reason: str, count: int = 1, *, sample: str | None = None) -> None:
        self.count += count


class Clock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


async def watch(*, narrow: bool) -> None:
    """Source and rules. Answers each line on standard input with its counters so far."""
    ruleset = compile_rules(load_rules([RULES], standard()).rules, standard())
    demand = ruleset.demand if narrow else msgspec.structs.replace(ruleset.demand, filters={})
    ledger = Ledger()
    state = State(ProcReader(), Clock(), Limits(), ledger, fields=demand.fields)
    live = AuditLive(state, ledger, only_uid=UID)
    await live.open(demand)
    seen = matched = 0
    ended = asyncio.Event()

    def answer() -> None:
        if not sys.stdin.readline():
            loop.remove_reader(0)
            ended.set()
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with Control() as control:
            rules = sum(b"%d." % os.getpid() in rule for rule in control.rules())
        counters = {"seen": seen, "matched": matched, "lost": ledger.count, "cpu": usage.ru_utime + usage.ru_stime, "rules": rules}
        print(json.dumps(counters), flush=True)

    loop = asyncio.get_running_loop()
    loop.add_reader(0, answer)

    async def read() -> None:
        nonlocal seen, matched
        async for batch in live.batches():
            for event in batch:
                seen += event.proc.uid == UID
                matched += bool(ruleset.match(event))

    reading, ending = asyncio.create_task(read()), asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await live.close()
        await reading


class Watcher:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def counters(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counters: dict[str, Any] = json.loads(self._process.stdout.readline())
        return counters

    def settled(self) -> dict[str, Any]:
        """The counters when all is read."""
        last = self.counters()
        while True:
            time.sleep(0.4)
            now = self.counters()
            if now["seen"] == last["seen"]:
                return now
            last = now


@contextmanager
def watching(mode: str) -> Iterator[Watcher]:
    command = [sys.executable, "-m", "tests.bench.audit_live", "--watch", mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Watcher(process)
        finally:
            process.communicate(timeout=60)


# --- report -------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Measured:
    load_cpu: float
    load_s: float
    seen: int = 0
    matched: int = 0
    lost: int = 0
    cpu: float = 0.0
    rules: int = 0


def measured(load: Load, watcher: Watcher | None) -> Measured:
    if watcher is None:
        return Measured(*cpu_of(load))
    before = watcher.settled()
    load_cpu, load_s = cpu_of(load)
    after = watcher.settled()
    counts = {name: after[name] - before[name] for name in ("seen", "matched", "lost", "cpu")}
    return Measured(load_cpu, load_s, **counts, rules=after["rules"])


def median(rows: Sequence[Measured], of: str) -> float:
    return statistics.median(getattr(row, of) for row in rows)


MODES = ("none", "types", "filters")


def loads(rounds: int) -> None:
    found: dict[tuple[str, str], list[Measured]] = {(load.title, mode): [] for load in LOADS for mode in MODES}
    for _ in range(rounds):
        for mode in MODES:
            if mode == "none":
                for load in LOADS:
                    found[load.title, mode].append(measured(load, None))
            else:
                with watching(mode) as watcher:
                    for load in LOADS:
                        found[load.title, mode].append(measured(load, watcher))
    for load in LOADS:
        quiet = median(found[load.title, "none"], "load_cpu")
        wide = found[load.title, "types"]
        print(f"\n{load.title}; without audit {quiet:.3f} s, {quiet / load.times * 1e6:.2f} us each")
        print(f"  {'kernel rules':<14} {'events':>8} {'/s':>8} {'lost':>6} {'ruleng':>9} {'load':>7} {'more each':>10}")
        for mode in MODES[1:]:
            rows = found[load.title, mode]
            seen, cpu, own = median(rows, "seen"), median(rows, "cpu"), median(rows, "load_cpu")
            title = f"{mode} ({rows[0].rules})"
            rate = seen / median(rows, "load_s")
            slower, more = f"x{own / quiet:.2f}", f"{(own - quiet) / load.times * 1e6:.2f} us"
            print(f"  {title:<14} {seen:>8.0f} {rate:>8.0f} {median(rows, 'lost'):>6.0f} {cpu:>7.2f} s {slower:>7} {more:>10}")
        narrow = found[load.title, "filters"]
        ratios = [(median(wide, name) or 1e-9, median(narrow, name)) for name in ("seen", "cpu")]
        share = " and ".join(
            f"{now / before:.1%} of the {word}" for (before, now), word in zip(ratios, ("events", "time"), strict=True)
        )
        print(f"  with filters {share}")


def unrelated(rounds: int) -> None:
    """The cost of rules to a call that they are not about, and to one that they name but whose other checks fail."""

    def timed(call: Callable[[], object]) -> float:
        started = time.process_time()
        for _ in range(UNRELATED):
            call()
        return (time.process_time() - started) / UNRELATED * 1e9

    getppid = 110  # asm/unistd_64.h
    counts, found = (0, 6, 12, 24), {}
    with Control() as control:
        for _ in range(rounds):
            for named in (False, True):
                for count in counts:
                    rules = [
                        pack(
                            [(checks.ARCH, (X86_64, I386)[number % 2], checks.EQUAL), (checks.EXIT, UID + number, checks.EQUAL)],
                            [257, getppid] if named else [257],
                            f"bench {os.getpid()}",
                        )
                        for number in range(count)
                    ]
                    added: list[bytes] = []
                    try:
                        for rule in rules:
                            control.add_rule(rule)
                            added.append(rule)
                        found.setdefault((named, count), []).append(timed(os.getppid))
                    finally:
                        for rule in added:
                            control.delete_rule(rule)
    for named in (False, True):
        row = ", ".join(f"{count}: {statistics.median(found[named, count]):.0f} ns" for count in counts)
        print(f"getppid with so many rules that {'name it and do not fit' if named else 'do not name it'}: {row}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--watch", choices=MODES[1:], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        asyncio.run(watch(narrow=options.watch == "filters"))
        return
    if os.geteuid() != 0:
        raise SystemExit("audit_live: needs root")
    unrelated(options.rounds)
    loads(options.rounds)


if __name__ == "__main__":
    main()
