"""Did you mean: the known name that an unknown one is nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

LONGEST = 64
"""Names longer than this are not misspelt but something else; comparing them would cost seconds in a hostile file."""

SIMILAR = 0.66
"""difflib's ratio below which a name is not worth proposing: `shh` and `ssh` have 0.67, `pid` and `proc.pid` 0.55."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The nearest of the known names, or None when none is near. Takes a millisecond."""
    return _nearest(name.lower(), frozenset(known)) if 0 < len(name) <= LONGEST else None


@lru_cache(maxsize=1024)  # one misspelt name may stand in thousands of rules
def _nearest(lower: str, known: frozenset[str]) -> str | None:
    candidates = {candidate.lower(): candidate for candidate in sorted(known)}
    if lower in candidates:
        return candidates[lower]
    found = get_close_matches(lower, candidates, n=1, cutoff=SIMILAR)
    return candidates[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The question as diagnostics put it, or None."""
    found = nearest(name, known)
    return None if found is None else f"did you mean `{found}`?"
