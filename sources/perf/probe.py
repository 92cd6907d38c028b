"""What this host offers to the perf source, a line each, and why not. Leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass

from ruleng.errors import HostError
from ruleng.normalise.perf.record import EXEC, FIELDS, WITH_ABI
from ruleng.sources.perf import abi
from ruleng.sources.perf.filters import Tracepoint
from ruleng.sources.perf.reader import Decoder
from ruleng.sources.perf.rings import ONLINE, Rings, online_cpus
from ruleng.sources.perf.tracefs import Format, Tracefs


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says how it is, or why it does not work and what to do."""

    what: str
    works: bool
    text: str


def probe(places: tuple[str, ...] | None = None) -> tuple[Finding, ...]:
    """In the order in which they are needed. `places`: where tracefs may be mounted, in a test."""
    findings: list[Finding] = []
    formats: dict[str, Format] = {}
    try:
        abi.architecture()
        with Tracefs() if places is None else Tracefs(places) as tracefs:
            findings.append(Finding("tracefs", True, tracefs.place))
            missing: list[str] = []
            for name, names in FIELDS.items():
                try:
                    layout = tracefs.format(name)
                    Decoder(layout, names, has_abi=name in WITH_ABI)
                    formats[name] = layout
                except HostError as error:
                    missing.append(_told(error))
            findings.append(Finding("tracepoints", not missing, "; ".join(missing) or f"{len(formats)}, all that are used"))
    except HostError as error:
        findings.append(Finding("tracefs", False, _told(error)))
    if EXEC in formats:
        findings.append(_opening(formats))
    return tuple(findings)


def _opening(formats: dict[str, Format]) -> Finding:
    try:
        cpus = online_cpus(ONLINE.read_text("ascii"))
        Rings([Tracepoint(EXEC, wakes=True)], formats, cpus[:1], pages=1, bulk_pages=1).close()
    except HostError as error:
        return Finding("events", False, _told(error))
    except OSError as error:
        return Finding("events", False, f"{ONLINE}: {error.strerror}")
    return Finding("events", True, f"open on {len(cpus)} CPUs; one that comes online later is not seen")


def _told(error: HostError) -> str:
    return f"{error}: {error.hint}" if error.hint else str(error)
