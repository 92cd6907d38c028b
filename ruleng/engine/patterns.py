"""The pattern languages of glob, pmatch and regex: from a literal to something that matches values."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Iterator, Sequence

import re2

from ruleng.engine import text

# --- glob: fnmatch(3) with flags 0; iglob adds FNM_CASEFOLD -------------------------------------------------------------------

_CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t\n\v\f\r ",
    "blank": r"\t ",
    "punct": re.escape(string.punctuation),
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
}
"""Character classes of the C locale. They keep their case where letters do not: [[:upper:]] is upper case for iglob too."""

_NEVER = "(?!)"


@functools.lru_cache(maxsize=4096)
def glob(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern whose `fullmatch` is fnmatch(3) in the C locale, where `*`, `?` and brackets match a slash too.

    A question mark is one character, or one byte that is no UTF-8. Time is linear in the value for each star: what follows
    a star is found at its first place and not tried again (`(?>...)`), which loses no match.
    """
    pieces = _glob_pieces(pattern)
    body = _NEVER if pieces is None else _join_stars(pieces)
    return re.compile(body, re.DOTALL | re.ASCII | (re.IGNORECASE if ignore_case else 0))


def _join_stars(pieces: Sequence[str | None]) -> str:
    """Regular expressions of single characters, None for a star."""
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


def _glob_pieces(pattern: str) -> list[str | None] | None:
    """None for a pattern that matches nothing: it ends in a lone backslash."""
    pieces: list[str | None] = []
    place = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            if not pieces or pieces[-1] is not None:
                pieces.append(None)
        elif char == "?":
            pieces.append(".")
        elif char == "[" and (bracket := _bracket(pattern, place)):
            piece, place = bracket
            pieces.append(piece)
        elif char == "\\":
            if place == len(pattern):
                return None
            pieces.append(re.escape(pattern[place]))
            place += 1
        else:
            pieces.append(re.escape(char))
    return pieces


def _bracket(pattern: str, place: int) -> tuple[str, int] | None:
    """(regular expression, place after it) of the bracket whose `[` is before `place`; None when it has no end."""
    negated = pattern[place : place + 1] in ("!", "^")
    place += negated
    members: list[str] = []  # of a character set
    classes: list[str] = []
    first = True
    while True:
        char = pattern[place : place + 1]
        if not char:
            return None
        if char == "]" and not first:
            break
        first = False
        if char == "[" and (match := re.compile(r"\[:([a-z]+):\]").match(pattern, place)):
            if match[1] not in _CLASSES:
                return _NEVER, len(pattern)  # fnmatch(3) gives up on the pattern
            classes.append(_CLASSES[match[1]])
            place = match.end()
            continue
        low, place = _member(pattern, place)
        if low is None:
            return None
        high: str | None = low
        if pattern[place : place + 1] == "-" and pattern[place + 1 : place + 2] not in ("]", ""):
            high, place = _member(pattern, place + 1)
            if high is None:
                return None
        if high is not None and low <= high:
            members.append(f"{re.escape(low)}-{re.escape(high)}")
    choices = [f"[{''.join(members)}]"] if members else []
    choices += [f"(?-i:[{members_of_class}])" for members_of_class in classes]
    either = f"(?:{'|'.join(choices)})" if choices else _NEVER
    return (f"(?:(?!{either}).)" if negated else either), place + 1


def _member(pattern: str, place: int) -> tuple[str | None, int]:
    """One character of a bracket and the place after it; None at the pattern's end."""
    if match := re.compile(r"\[([.=])(.)\1\]", re.DOTALL).match(pattern, place):
        return match[2], match.end()
    if pattern[place : place + 1] == "\\":
        place += 1
    char = pattern[place : place + 1]
    return (char or None), place + 1


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


# --- pmatch: a path begins with the components of another ------------------------------------------------------------------------


def components(path: str) -> list[str]:
    """Names between slashes; leading, doubled and trailing slashes count for nothing."""
    return [name for name in path.split("/") if name]


def has_wildcards(component: str) -> bool:
    return any(char in component for char in "?*[")


@functools.lru_cache(maxsize=4096)
def _component_matchers(path: str) -> tuple[Callable[[str], object], ...]:
    return tuple(
        glob(component).fullmatch if has_wildcards(component) else functools.partial(str.__eq__, component)
        for component in components(path)
    )


def path_starts_with(value: str, path: str) -> bool:
    """Whether `value` is `path` or lies below it; a component of `path` with ? * or [ is globbed."""
    matchers = _component_matchers(path)
    names = components(value)
    return len(names) >= len(matchers) and all(matches(name) for matches, name in zip(matchers, names, strict=False))


# --- regex: RE2 in POSIX syntax, anchored at both ends ----------------------------------------------------------------------------


def _re2_options(*, posix: bool) -> re2.Options:
    options = re2.Options()
    options.posix_syntax = posix
    options.never_capture = True
    options.log_errors = False
    return options


@functools.lru_cache(maxsize=4096)
def regex(pattern: str) -> Callable[[bytes], object]:
    """Whether the bytes of `text.valid_utf8` match the whole pattern. Raises re2.error; linear in time."""
    matcher: Callable[[bytes], object] = re2.compile(text.valid_utf8(pattern), _re2_options(posix=True)).fullmatch
    return matcher


def substrings(literals: Sequence[str]) -> Callable[[bytes], bool]:
    """Whether any of many literals occurs in the bytes of `text.valid_utf8`."""
    searches = [re2.compile(b"|".join(chunk), _re2_options(posix=False)).search for chunk in _chunks(literals)]
    return lambda data: any(search(data) for search in searches)


_CHUNK = 100_000
"""Bytes of literals in one pattern: RE2 refuses patterns that need more than 8 MiB, which are three times as long."""


def _chunks(literals: Sequence[str]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for literal in literals:
        chunk.append(re2.escape(text.valid_utf8(literal)))
        size += len(chunk[-1])
        if size > _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
