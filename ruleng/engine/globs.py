"""glob and iglob: fnmatch(3) with flags 0 and FNM_CASEFOLD, as regular expressions over text."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Mapping, Sequence

from ruleng.engine import text

_CLASSES: Mapping[str, Callable[[str], bool]] = {
    "alpha": str.isalpha,
    "digit": str.isdigit,
    "alnum": str.isalnum,
    "upper": str.isupper,
    "lower": str.islower,
    "space": lambda char: char in " \t\n\v\f\r",
    "blank": lambda char: char in " \t",
    "punct": lambda char: char in string.punctuation,
    "print": lambda char: " " <= char <= "~",
    "graph": lambda char: "!" <= char <= "~",
    "cntrl": lambda char: char < " " or char == "\x7f",
    "xdigit": lambda char: char in string.hexdigits,
}
"""Character classes of the C locale, where only ASCII has any. They keep their case: [[:upper:]] is upper case for iglob too."""

_NEVER = "(?!)"


@functools.lru_cache(maxsize=4096)
def glob(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern whose `fullmatch` is fnmatch(3) in the C locale, where `*`, `?` and brackets match a slash too.

    A question mark is one character, or one byte that is no UTF-8. Time is linear in the value for each star: what follows
    a star is found at its first place and not tried again (`(?>...)`), which loses no match.
    """
    try:
        body = _join_stars(_glob_pieces(pattern, ignore_case))
    except _NeverMatchesError:
        body = _NEVER
    return re.compile(body, re.DOTALL | re.ASCII | (re.IGNORECASE if ignore_case else 0))


class _NeverMatchesError(Exception):
    """fnmatch(3) gives up on a pattern: it ends in a backslash, or within a range, a class or a collating symbol."""


def _join_stars(pieces: Sequence[str | None]) -> str:
    """Of regular expressions of single characters, None for a star."""
    runs: list[str] = [""]
    for piece in pieces:
        if piece is None:
            runs.append("")
        else:
            runs[-1] += piece
    first, *rest = runs
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>.*?{run})" for run in middle if run) + f".*{last}"


def _glob_pieces(pattern: str, ignore_case: bool) -> list[str | None]:
    pieces: list[str | None] = []
    place = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            pieces.append(None)
        elif char == "?":
            pieces.append(".")
        elif char == "[" and (bracket := _bracket(pattern, place, ignore_case)):
            piece, place = bracket
            pieces.append(piece)
        elif char == "\\":
            if place == len(pattern):
                raise _NeverMatchesError
            pieces.append(re.escape(pattern[place]))
            place += 1
        else:
            pieces.append(re.escape(char))
    return pieces


def _bracket(pattern: str, place: int, ignore_case: bool) -> tuple[str, int] | None:
    """(regular expression, place after it) of the bracket whose `[` is before `place`; None when it has no end."""
    negated = pattern[place : place + 1] in ("!", "^")
    place += negated
    ranges: list[tuple[str, str]] = []
    classes: list[Callable[[str], bool]] = []
    first = True
    while (char := pattern[place : place + 1]) != "]" or first:
        first = False
        if match := _CLASS.match(pattern, place):
            if match[1] not in _CLASSES:
                raise _NeverMatchesError
            classes.append(_CLASSES[match[1]])
            place = match.end()
            continue
        if not char:
            return None
        low, place = _member(pattern, place)
        high = low
        if pattern[place : place + 1] == "-" and pattern[place + 1 : place + 2] != "]":
            high, place = _member(pattern, place + 1)
        ranges.append((text.lower(low), text.lower(high)) if ignore_case else (low, high))
    return _either(ranges, classes, negated, ignore_case), place + 1


_CLASS = re.compile(r"\[:([a-z]+):\]")
_EQUIVALENT = re.compile(r"\[=(.)=\]", re.DOTALL)


def _member(pattern: str, place: int) -> tuple[str, int]:
    """One character of a bracket and the place after it."""
    if match := _EQUIVALENT.match(pattern, place):
        return match[1], match.end()
    if pattern.startswith("[.", place):
        end = pattern.find(".]", place + 2)
        if end != place + 3:  # names of one character are all that the C locale has
            raise _NeverMatchesError
        return pattern[place + 2], end + 2
    if pattern[place : place + 1] == "\\":
        place += 1
    if place >= len(pattern):
        raise _NeverMatchesError
    return pattern[place], place + 1


def _either(ranges: Sequence[tuple[str, str]], classes: Sequence[Callable[[str], bool]], negated: bool, ignore_case: bool) -> str:
    """One character that is in a range or a class, or in none of them. For iglob ranges hold the lower case of it."""
    chars = ""
    for char in map(chr, range(1, 128)):
        folded = text.lower(char) if ignore_case else char
        if any(low <= folded <= high for low, high in ranges) or any(belongs(char) for belongs in classes):
            chars += re.escape(char)
    for low, high in ranges:
        if high >= "\x80" and low <= high:
            chars += f"{re.escape(max(low, chr(0x80)))}-{re.escape(high)}"
    if not chars:
        return "." if negated else _NEVER
    return f"(?-i:[{'^' if negated else ''}{chars}])"


def plain_glob(pattern: str) -> tuple[str, str] | None:
    """What a glob of a common shape says more simply: ("=", text), or ("startswith", text), "endswith", "contains", "exists"."""
    body = pattern.strip("*")
    if any(char in body for char in "*?[\\"):
        return None
    match pattern.startswith("*"), pattern.endswith("*"):
        case False, False:
            return "=", body
        case _ if not body:
            return "exists", ""
        case True, True:
            return "contains", body
        case True, False:
            return "endswith", body
        case _:
            return "startswith", body


_PREFIX = re.compile(r"[^*?\[\\]*")
_SUFFIX = re.compile(r"[^*?\[\]\\]*\Z")


def fixed_ends(pattern: str) -> tuple[str, str]:
    """What every text that a glob matches begins with, and ends with; the suffix only behind a star, "" if none is sure."""
    prefix = _PREFIX.match(pattern)
    suffix = _SUFFIX.search(pattern)
    behind_star = suffix is not None and pattern[: suffix.start()].endswith("*")
    return prefix[0] if prefix else "", suffix[0] if suffix and behind_star else ""
