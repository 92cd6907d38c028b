"""Transformers at run time: tolower, toupper, b64, basename, len, join, concat, getopt.

Values in, a value out; a missing argument (None) makes the result missing. Transformers of one string take a list too and
then give the list of results. Types are checked at load (ruleng.lang.check), not here.
"""

from __future__ import annotations

import binascii
import functools
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any

from ruleng.engine import text

Strings = Sequence[str]


def _each(function: Callable[[str], str | None]) -> Callable[[Any], Any]:
    """The function for a string or a list of strings; one missing result makes the whole list missing."""

    @functools.wraps(function)
    def apply(value: str | Strings | None) -> str | tuple[str, ...] | None:
        if value is None:
            return None
        if isinstance(value, str):
            return function(value)
        results = [function(item) for item in value]
        return None if None in results else tuple(results)  # type: ignore[arg-type]  # mypy does not narrow by `in`

    return apply


@_each
def tolower(value: str) -> str:
    return text.lower(value)


@_each
def toupper(value: str) -> str:
    return text.upper(value)


@_each
def basename(value: str) -> str:
    """What follows the last slash: "" when it ends in one."""
    return value.rpartition("/")[2]


@_each
def b64(value: str) -> str | None:
    """Base64 (RFC 4648 section 4) decoded, padded or not; None when it is none."""
    stripped = value.rstrip("=")
    try:
        return text.decode(binascii.a2b_base64(stripped + "=" * (-len(stripped) % 4), strict_mode=True))
    except ValueError:  # binascii.Error, or characters that are not ASCII
        return None


def length(value: str | bytes | Sequence[Any] | None) -> int | None:
    """Bytes of a string or buffer, items of a list."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(text.encode(value))
    return None if value is None else len(value)


def join(separator: str | None, items: Iterable[Any] | None) -> str | None:
    if separator is None or items is None:
        return None
    return separator.join([item if isinstance(item, str) else str(item) for item in items])


def concat(*values: str | None) -> str | None:
    return None if None in values else "".join(values)  # type: ignore[arg-type]  # mypy does not narrow by `in`


def items(*values: Any) -> tuple[Any, ...] | None:
    """A list of operands, `(proc.name, "x")`: missing when one of them is."""
    return None if None in values else values


def getopt(args: Strings | None, options: str | None, wanted: str | None = None) -> tuple[str, ...] | str | None:
    """The short options among `args`, as getopt(3) with the option string `options` reads them, without permutation.

    Each option gives its letter and then its argument, when it takes one; an option that lacks its argument gives "", one
    that is not in `options` gives "?". Long options are skipped. With `wanted` instead the argument of the last option of
    that letter, the letter itself where it takes none, None when it was not given.
    """
    if args is None or options is None:
        return None
    takes_argument = _option_letters(options)
    found: list[str] = []
    last: str | None = None
    place = 0
    while place < len(args):
        arg = args[place]
        place += 1
        if arg == "--" or not arg.startswith("-") or arg == "-":
            break
        if arg.startswith("--"):
            continue
        for index, letter in enumerate(arg[1:], start=2):
            if letter not in takes_argument:
                found.append("?")
                continue
            if not takes_argument[letter]:
                found.append(letter)
                last = letter if letter == wanted else last
                continue
            value = arg[index:]
            if not value and place < len(args):
                value = args[place]
                place += 1
                found += letter, value
            else:
                found += (letter, value) if value else ("",)
            last = value if letter == wanted else last
            break
    return tuple(found) if wanted is None else last


@functools.lru_cache(maxsize=256)  # option strings are literals of rules, almost always
def _option_letters(options: str) -> MappingProxyType[str, bool]:
    """Letter -> whether it takes an argument. A colon is never an option; a leading one means nothing here."""
    letters: dict[str, bool] = {}
    for index, letter in enumerate(options):
        if letter != ":":
            letters[letter] = letters.get(letter, False) or options[index + 1 : index + 2] == ":"
    return MappingProxyType(letters)


FUNCTIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "tolower": tolower,
        "toupper": toupper,
        "b64": b64,
        "basename": basename,
        "len": length,
        "join": join,
        "concat": concat,
        "getopt": getopt,
    }
)
"""By their names in rules."""

FAILING = frozenset({"b64", "getopt"})
"""Those that may give nothing for arguments that are all there."""
