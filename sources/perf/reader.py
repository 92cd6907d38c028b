"""Bytes of a ring -> records, by decoders made once from the layouts of the tracepoints.

In: what `Ring.take` gives. Out: `Record`s in the order of the ring. What cannot be read is counted, with what was wrong, and
never raises: the kernel writes it, but a layout may lie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from struct import Struct
from typing import Any

from ruleng.errors import HostError
from ruleng.normalise.perf.record import Record
from ruleng.ports import Ledger
from ruleng.sources.perf import abi
from ruleng.sources.perf.tracefs import Field, Format

WHERE = "perf.parse"
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
# header, pid and tid, time, raw size and common_type: all that one needs to choose a decoder
_PEEK = Struct("<IxxH20xH").unpack_from
_PEEKED = 30

Unpack = Callable[[bytes, int], tuple[Any, ...]]


class Decoder:
    """Of the samples of one tracepoint. `least` is the size in bytes of the smallest that it can read."""

    __slots__ = ("least", "name", "unpack")

    def __init__(self, layout: Format, names: tuple[str, ...], *, has_abi: bool = False) -> None:
        """Raises HostError when the tracepoint lacks a field or has it in another shape."""
        self.name = layout.name
        fields = [_wanted(layout, name) for name in names]
        ordered = sorted(fields, key=lambda field: field.offset)
        code, at = "<8xiiQ4x", abi.RAW_AT
        for field in ordered:
            start = abi.RAW_AT + field.offset
            if start < at:
                raise HostError(f"tracefs: the format of {layout.name} cannot be read: `{field.name}` overlaps another field")
            code += f"{start - at}x{_code(field)}"
            at = start + field.size
        if has_abi:
            end = max(field.offset + field.size for field in layout.fields.values())
            start = abi.RAW_AT + (end + 4 + 7) // 8 * 8 - 4  # data and their size fill whole words
            code += f"{start - at}xQ"
            at = start + 8
        packed = Struct(code)
        self.least = max(packed.size, _PEEKED)
        self.unpack: Unpack = packed.unpack_from
        if any(field.shape not in ("number", "numbers") for field in fields):
            self.unpack = _with_texts(packed, ordered)
        if ordered != fields:
            self.unpack = _reordered(self.unpack, ordered, fields)


def _wanted(layout: Format, name: str) -> Field:
    field = layout.fields.get(name)
    if field is None:
        raise HostError(f"tracefs: {layout.name} of this kernel has no field `{name}`", hint="run with --source audit")
    return field


def _code(field: Field) -> str:
    match field.shape:
        case "number" | "numbers":
            letter = _CODES[field.size // field.count]
            return f"{field.count}{letter if field.is_signed else letter.upper()}"
        case "text":
            return f"{field.size}s"
        case "data_loc" | "rel_loc":
            return "I"


def _with_texts(packed: Struct, fields: list[Field]) -> Unpack:
    """Texts decoded: those in place end at their NUL, others lie further behind in the record."""
    inline: list[int] = []
    behind: list[tuple[int, int]] = []
    index = 3  # after pid, tid, time
    for field in fields:
        if field.shape == "text":
            inline.append(index)
        elif field.shape in ("data_loc", "rel_loc"):
            behind.append((index, abi.RAW_AT + (field.offset + 4 if field.shape == "rel_loc" else 0)))
        index += field.count if field.shape == "numbers" else 1
    plain = packed.unpack_from

    def unpack(data: bytes, at: int) -> tuple[Any, ...]:
        values = list(plain(data, at))
        end = at + abi.HEADER.unpack_from(data, at)[2]
        for index in inline:
            values[index] = _text(values[index])
        for index, base in behind:
            start = at + base + (values[index] & 0xFFFF)
            values[index] = _text(data[start : min(start + (values[index] >> 16), end)])
        return tuple(values)

    return unpack


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _reordered(unpack: Unpack, have: list[Field], want: list[Field]) -> Unpack:
    """The kernel may move fields; values come in the order in which they were asked for."""
    places: dict[str, range] = {}
    index = 3
    for field in have:
        width = field.count if field.shape == "numbers" else 1
        places[field.name] = range(index, index + width)
        index += width
    known = sum(map(len, places.values())) + 3
    order = [0, 1, 2, *(place for field in want for place in places[field.name])]

    def reordered(data: bytes, at: int) -> tuple[Any, ...]:
        values = unpack(data, at)
        return (*itemgetter(*order)(values), *values[known:])

    return reordered


class Reader:
    """`decoders` by the number that the kernel gave the tracepoint."""

    def __init__(self, decoders: Mapping[int, Decoder], ledger: Ledger) -> None:
        self._decoders = {number: (decoder.name, decoder.least, decoder.unpack) for number, decoder in decoders.items()}
        self._ledger = ledger

    def feed(self, data: bytes, cpu: int, out: list[Record]) -> int:
        """Appends to `out`; returns how many samples the kernel says here that it had no room for."""
        decoders, peek, append = self._decoders, _PEEK, out.append
        at, end, lost = 0, len(data), 0
        while end - at >= _PEEKED:
            kind, size, number = peek(data, at)
            if size < abi.LEAST_RECORD or at + size > end:
                break
            if kind == abi.RECORD_SAMPLE:
                found = decoders.get(number)
                if found is None:
                    self._lost("a sample is of a tracepoint that nobody asked for", cpu)
                elif size < found[1]:
                    self._lost(f"a sample of {found[0]} is too short", cpu)
                else:
                    values = found[2](data, at)
                    append((values[2], found[0], cpu, values))
            elif kind == abi.RECORD_LOST:
                lost += abi.LOST.unpack_from(data, at)[1]
            else:
                self._lost(f"a record of type {kind}, which nobody asked for", cpu)
            at += size
        if at != end:
            self._lost("a record's size is wrong: what follows it in the ring is given up", cpu)
        return lost

    def _lost(self, reason: str, cpu: int) -> None:
        self._ledger.lost(WHERE, reason, sample=f"CPU {cpu}")
