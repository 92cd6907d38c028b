"""Sets of numbers as ranges: (first, last), ascending, with gaps between them."""

from __future__ import annotations

from collections.abc import Iterable

from ruleng.ports import HIGHEST, LOWEST

Ranges = tuple[tuple[int, int], ...]

EVERY: Ranges = ((LOWEST, HIGHEST),)


def union(*sets: Ranges) -> Ranges:
    return _joined(pair for ranges in sets for pair in ranges)


def intersection(one: Ranges, other: Ranges) -> Ranges:
    return _joined((max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) <= min(b, d))


def complement(ranges: Ranges) -> Ranges:
    firsts = [LOWEST, *(last + 1 for _, last in ranges)]
    lasts = [*(first - 1 for first, _ in ranges), HIGHEST]
    return tuple((first, last) for first, last in zip(firsts, lasts, strict=True) if first <= last)


def within(one: Ranges, other: Ranges) -> bool:
    """Whether each number of the one is in the other."""
    return intersection(one, other) == one


def _joined(pairs: Iterable[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return tuple(joined)
