"""Samples as a kernel writes them, by hand, and the layouts that they follow: those of Linux 6.18 on x86_64."""

from __future__ import annotations

from pathlib import Path
from struct import pack

from ruleng.normalise.perf.record import FIELDS, WITH_ABI
from ruleng.sources.perf.reader import Decoder
from ruleng.sources.perf.tracefs import Format, parse_format

FORMATS = Path(__file__).parent / "perf_formats"


def text_of(name: str) -> str:
    return (FORMATS / f"{name.replace(':', '.')}.txt").read_text()


def layout(name: str) -> Format:
    return parse_format(name, text_of(name))


def decoders() -> dict[int, Decoder]:
    layouts = {name: layout(name) for name in FIELDS}
    return {found.id: Decoder(found, FIELDS[name], has_abi=name in WITH_ABI) for name, found in layouts.items()}


def record(kind: int, body: bytes) -> bytes:
    """struct perf_event_header and what follows."""
    return pack("<IHH", kind, 0, 8 + len(body)) + body


def sample(name: str, data: bytes, *, pid: int = 7, tid: int = 7, time_ns: int = 1000, after: bytes = b"") -> bytes:
    """`data`: the tracepoint's own, behind its four common fields."""
    raw = pack("<HBBi", layout(name).id, 0, 0, tid) + data
    raw += b"\0" * (-(len(raw) + 4) % 8)
    return record(9, pack("<iiQI", pid, tid, time_ns, len(raw)) + raw + after)


def executed(filename: bytes, **who: int) -> bytes:
    place = 8 + 4 + 4 + 4
    text = filename + b"\0"
    return sample("sched:sched_process_exec", pack("<HHii", place, len(text), 7, 7) + text, **who)  # type: ignore[arg-type]


def entered(number: int, *args: int, bits: int = 64, **who: int) -> bytes:
    """`bits`: of the program."""
    six = [*args, *[0] * (6 - len(args))]
    after = pack("<QQ", 2 if bits == 64 else 1, 0)
    return sample("raw_syscalls:sys_enter", pack("<q6Q", number, *six), after=after, **who)  # type: ignore[arg-type]


def left(number: int, result: int, **who: int) -> bytes:
    return sample("raw_syscalls:sys_exit", pack("<qq", number, result), **who)  # type: ignore[arg-type]


def lost(count: int) -> bytes:
    return record(2, pack("<QQiiQ", 1, count, 0, 0, 0))


def recorded() -> list[tuple[int, bytes]]:
    """(CPU, sample) as Linux 6.18 wrote them: python 8762 starts sh 8765, which signals itself, becomes true and ends."""
    lines = (Path(__file__).parent / "perf_recorded.txt").read_text().splitlines()
    return [(int(cpu), bytes.fromhex(data)) for cpu, _, data in (line.partition(" ") for line in lines)]
