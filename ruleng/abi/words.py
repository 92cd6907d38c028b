"""Numbers of the kernel's interface put into words, and words read back into numbers.

In: a table of word and number. Out: `text(number)` as Falco prints it, `number(text)` as its inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Protocol

import msgspec

from ruleng.abi.names import CAPABILITIES, ERRNO, SIGNALS

_ERRORS = {number: name for name, number in ERRNO.items()}
_SIGNALS = {number: name for name, number in SIGNALS.items()}
_CAPABILITIES = tuple(sorted(CAPABILITIES, key=lambda name: CAPABILITIES[name]))
_ALIASES = {"EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "ENOTSUP": "EOPNOTSUPP"}

FIRST_REAL_TIME = 34
"""SIGRTMIN of glibc, which keeps 32 and 33 to itself; signal(7)."""
LAST_SIGNAL = 64


class Words(Protocol):
    def text(self, number: int) -> str: ...

    def number(self, text: str) -> int | None:
        """None when a word is unknown; a decimal number stands for itself."""
        ...


class Flags(msgspec.Struct, frozen=True):
    """Bits, of which any number may be set: `O_RDWR|O_CREAT`. What has no word is left out, as Falco does."""

    bits: Mapping[str, int]
    zero: str = "0"  # what no bit at all is called

    def text(self, number: int) -> str:
        found, rest = [], number
        for word, mask in self.bits.items():
            if rest & mask == mask and mask:
                found.append(word)
                rest &= ~mask
        return "|".join(found) if found else self.zero if number == 0 else str(number)

    def number(self, text: str) -> int | None:
        total = 0
        for word in filter(None, text.split("|")):
            if word == self.zero:
                continue
            if (bit := self.bits.get(word, _decimal(word))) is None:
                return None
            total |= bit
        return total


class Choice(msgspec.Struct, frozen=True):
    """One of several: `PTRACE_ATTACH`. Words of one number are shown together: `AF_LOCAL|AF_UNIX`."""

    numbers: Mapping[str, int]

    def text(self, number: int) -> str:
        return "|".join([word for word, value in self.numbers.items() if value == number]) or str(number)

    def number(self, text: str) -> int | None:
        first = text.split("|", maxsplit=1)[0]
        return self.numbers.get(first, _decimal(first))


class Both(msgspec.Struct, frozen=True):
    """A choice in some of the bits and flags in the others: `O_CREAT|O_RDWR|O_CLOEXEC` of open(2).

    The choice stands before the flags named in `before`, else at the end.
    """

    mask: int
    choice: Choice
    flags: Flags
    before: frozenset[str] = frozenset()
    word_of_zero: bool = True  # whether the choice shows when its bits are 0 and a flag is set

    def text(self, number: int) -> str:
        rest = number & ~self.mask
        words = self.flags.text(rest).split("|") if rest else []
        if number & self.mask or self.word_of_zero or not rest:
            place = next((i for i, word in enumerate(words) if word in self.before), len(words))
            words.insert(place, self.choice.text(number & self.mask))
        return "|".join(words)

    def number(self, text: str) -> int | None:
        total = 0
        for word in filter(None, text.split("|")):
            known = self.choice.numbers.get(word)
            bit = known if known is not None else self.flags.number(word)
            if bit is None:
                return None
            total |= bit
        return total


def _decimal(word: str) -> int | None:
    digits = word.removeprefix("-")
    return int(word) if digits.isascii() and digits.isdecimal() else None


# --- errors, signals, capabilities --------------------------------------------------------------------------------------


def error_name(errno: int) -> str:
    """`ENOENT` of 2, the number itself when it has no name. Names of errno(3), and of the kernel's own like ERESTARTSYS."""
    return _ERRORS.get(errno) or _KERNEL_ERRORS.get(errno) or str(errno)


def error_number(name: str) -> int | None:
    """2 of `ENOENT`; aliases too."""
    name = _ALIASES.get(name, name)
    return ERRNO.get(name) or next((number for number, word in _KERNEL_ERRORS.items() if word == name), None)


_KERNEL_ERRORS = {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
    514: "ERESTARTNOHAND",
    515: "ENOIOCTLCMD",
    516: "ERESTART_RESTARTBLOCK",
}
"""include/linux/errno.h: not for programs, but audit and tracepoints show them."""


def signal_name(number: int) -> str:
    """`SIGKILL` of 9, `SIGRTMIN+1` of 35, the number itself when it is no signal."""
    if FIRST_REAL_TIME <= number <= LAST_SIGNAL:
        return f"SIGRTMIN+{number - FIRST_REAL_TIME}" if number > FIRST_REAL_TIME else "SIGRTMIN"
    return _SIGNALS.get(number) or str(number)


def signal_number(name: str) -> int | None:
    """9 of `SIGKILL`, `KILL` or `9`; None when there is no such signal."""
    word = name.upper().removeprefix("SIG")
    if word.startswith("RTMIN"):
        number = FIRST_REAL_TIME + (_decimal(word[5:].lstrip("+")) or 0)
    elif word.startswith("RTMAX"):
        number = LAST_SIGNAL - (_decimal(word[5:].lstrip("-")) or 0)
    else:
        number = SIGNALS.get(f"SIG{word}") or _decimal(word) or 0
    return number if 1 <= number <= LAST_SIGNAL else None


def capability_names(bits: int) -> str:
    """`CAP_CHOWN CAP_KILL` of a set of capabilities(7), in the order of their numbers, as Falco prints them."""
    return " ".join([name for bit, name in enumerate(_CAPABILITIES) if bits >> bit & 1])


def capability_bits(names: str) -> int | None:
    """The inverse; None when a name is unknown."""
    bits = 0
    for name in names.split():
        if name not in CAPABILITIES:
            return None
        bits |= 1 << CAPABILITIES[name]
    return bits


# --- ioctl --------------------------------------------------------------------------------------------------------------


@cache
def ioctl_names() -> Mapping[int, str]:
    """Names of ioctl(2) commands by number. Where two devices share a number, the first in the alphabet of names."""
    from ruleng.abi.ioctls import IOCTL

    return {number: name for name, number in sorted(IOCTL.items(), reverse=True)}
