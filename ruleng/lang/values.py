"""Literals into values of their field's type, as Falco reads them.

In goes the literal with the type of the left operand and the operator; out comes the typed value, or a diagnostic that says
what is wrong. Where Falco reads a literal silently as something else (4294967296 for a uint32 is 0), a Falco file keeps that
value and gets a warning, a .rules file an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import re2

from ruleng.fields.address import format_address, parse_address, parse_network
from ruleng.fields.types import FieldType
from ruleng.lang.ast import Dialect, Literal
from ruleng.lang.checked import Op, Value
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import types as mistakes
from ruleng.lang.services import PORTS
from ruleng.lang.source import Span

TEXTS: Collection[FieldType] = frozenset({FieldType.STRING, FieldType.PATH})


def kind(type: FieldType) -> FieldType:
    """The type with which it can be compared: a path is a string."""
    return FieldType.STRING if type in TEXTS else type


Reading = tuple[Value | None, Diagnostic | None]
"""A value, a value with a warning, or None with an error."""

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)", re.ASCII)  # what sscanf(3) takes for %d and %u
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)
_HEX = re.compile(r"([0-9a-fA-F]{2})*", re.ASCII)
_UNIT = re.compile(r"[0-9]+(ns|us|ms|s|m|h|d)", re.ASCII)
_INT_MAX = 2**31 - 1  # limits.h: std::stoi, which libsinsp reads ports with, refuses what is greater
_ZERO_NETWORK_V6 = "/0"


def read(literal: Literal, type: FieldType, op: Op, dialect: Dialect) -> Reading:
    """The value that a literal has beside a field of this type."""
    span, text = literal.span, literal.text
    if op in (Op.BCONTAINS, Op.BSTARTSWITH):
        return (bytes.fromhex(text), None) if _HEX.fullmatch(text) else (None, mistakes.not_hex(span, op, text))
    if type in TEXTS:
        return _text(span, text, op)
    if type is FieldType.PORT:
        return _port(span, text, dialect)
    if width := type.integer:
        return _integer(span, text, type, width, dialect)
    return _OTHERS[type](span, text, dialect)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _integer(span: Span, text: str, type: FieldType, width: tuple[int, bool], dialect: Dialect) -> Reading:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None, mistakes.not_a_number(span, text, help=_number_help(text, type))
    number = _number(found[1])
    bits, signed = width
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if low <= number <= high:
        return number, None
    if dialect == "rules":
        return None, mistakes.number_does_not_fit(span, found[1], type.label, (low, high), None)
    wrapped = wrap(number, bits, signed=signed)
    return wrapped, mistakes.number_does_not_fit(span, found[1], type.label, (low, high), wrapped)


def _number(digits: str) -> int:
    """The number; past 40 digits a nearer one, which is out of every type's range too (int() refuses thousands of digits)."""
    sign, significant = ("-" if digits[0] == "-" else ""), digits.lstrip("+-").lstrip("0")
    return int(f"{sign}{significant[:40] or '0'}")


def wrap(number: int, bits: int, *, signed: bool) -> int:
    """What sscanf(3) stores for a number that does not fit: saturated at 64 bits by strtol(3) or strtoul(3), then cut to `bits`."""
    low, high = (-(1 << 63), (1 << 63) - 1) if signed else (1 - (1 << 64), (1 << 64) - 1)
    saturated = max(low, min(number, high)) if signed or low <= number else high
    cut = saturated & ((1 << bits) - 1)
    return cut - (1 << bits) if signed and cut >> (bits - 1) else cut


def _number_help(text: str, type: FieldType) -> str | None:
    if text[:2].lower() == "0x":
        try:
            return f"write {int(text[2:], 16)}: numbers are decimal"
        except ValueError:
            return "numbers are decimal"
    if type in (FieldType.RELTIME, FieldType.ABSTIME) and _UNIT.fullmatch(text):
        return "times are written in nanoseconds: 5 seconds are 5000000000"
    return "numbers are decimal digits only" if text[:1].isdecimal() else None


def _double(span: Span, text: str, dialect: Dialect) -> Reading:
    if found := _NUMBER.fullmatch(text):
        return float(_number(found[1])), None
    if dialect == "rules" and _DECIMAL.fullmatch(text):
        return float(text), None
    return None, mistakes.not_a_number(span, text, help=_number_help(text, FieldType.DOUBLE))


def _port(span: Span, text: str, dialect: Dialect) -> Reading:
    if text.isascii() and text.isdecimal():
        number = _number(text)
        if number <= 0xFFFF:
            return number, None
        if dialect == "falco" and number <= _INT_MAX:
            cut = number & 0xFFFF
            return cut, mistakes.number_does_not_fit(span, text, FieldType.PORT.label, (0, 0xFFFF), cut)
        return None, mistakes.number_does_not_fit(span, text, FieldType.PORT.label, (0, 0xFFFF), None)
    if not text and dialect == "falco":
        return 0, mistakes.empty_port(span)
    if text in PORTS:
        return PORTS[text], None
    return None, mistakes.not_a_port(span, text, PORTS)


def _bool(span: Span, text: str, dialect: Dialect) -> Reading:
    if text in ("true", "false"):
        return text == "true", None
    return None, mistakes.not_a_boolean(span, text)


# --- addresses --------------------------------------------------------------------------------------------------------


def _address(span: Span, text: str, dialect: Dialect) -> Reading:
    if ":" in text and "." in text:  # libsinsp refuses it too, and turns such addresses of sockets into IPv4
        try:
            return None, mistakes.mapped_address(span, text, format_address(parse_address(text) & 0xFFFF_FFFF))
        except ValueError:
            return None, mistakes.not_an_address(span, text)
    try:
        return parse_address(text), None
    except ValueError:
        return None, mistakes.not_an_address(span, text)


def _network(span: Span, text: str, dialect: Dialect) -> Reading:
    try:
        network = parse_network(text)
    except ValueError as problem:
        return None, mistakes.not_a_network(span, text, str(problem))
    if dialect == "falco" and ":" in text and text.endswith(_ZERO_NETWORK_V6):
        return None, mistakes.not_a_network(span, text, "Falco has no IPv6 networks of prefix length 0")
    return network, None


# --- texts and bytes --------------------------------------------------------------------------------------------------


def _bytes(span: Span, text: str, dialect: Dialect) -> Reading:
    try:
        return text.encode("utf-8", "surrogateescape"), None
    except UnicodeEncodeError:
        return None, mistakes.no_text(span)


def _text(span: Span, text: str, op: Op) -> Reading:
    if "\0" in text:
        return None, mistakes.nul_in_text(span)
    match op:
        case Op.REGEX:
            return _regex(span, text)
        case Op.GLOB | Op.IGLOB | Op.PMATCH:
            reason = pattern_problem(text)
            return text, None if reason is None else mistakes.odd_pattern(span, text, reason)
        case _:
            return text, None


def regex_options() -> re2.Options:
    """RE2 as Falco uses it: POSIX syntax, leftmost-longest; a match must cover the whole text."""
    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.log_errors = False
    return options


def _regex(span: Span, text: str) -> Reading:
    try:
        re2.compile(text, regex_options())
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error.args[0])
        return None, mistakes.invalid_regex(_within(span, reason.rpartition(": ")[2]), text, reason)
    except UnicodeEncodeError:
        return None, mistakes.invalid_regex(span, text, "invalid UTF-8")
    instead = plainer(text)
    return text, None if instead is None else mistakes.needless_regex(span, text, instead)


def _within(span: Span, fragment: str) -> Span:
    """Where the part that RE2 complains of stands, when that is certain."""
    start = span.text.find(fragment) if fragment else -1
    return span if start < 0 else Span(span.source, span.start + start, span.start + start + len(fragment))


_ENDS = re.compile(r"(\^|\.[*+?])?(.*?)(\$|\.[*+?])?", re.DOTALL)
_SPECIAL = frozenset(".+*?^$()[]{}|\\")  # libsinsp filter.cpp, check_warnings_regex_value


def plainer(text: str) -> str | None:
    """The operator and value that do a regular expression's work without one, as Falco judges it; None when none does."""
    found = _ENDS.fullmatch(text)
    if found is None or _SPECIAL.intersection(found[2]):
        return None
    before, after = (found[1] or "^") != "^", (found[3] or "$") != "$"
    operator = {(False, False): "=", (True, False): "endswith", (False, True): "startswith", (True, True): "contains"}
    return f"{operator[before, after]} {found[2]}".rstrip() if found[2] else f'{operator[before, after]} ""'


_CLASSES = frozenset({"alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit"})


def pattern_problem(pattern: str) -> str | None:
    """Why a glob will not do what its author meant; fnmatch(3) accepts it all the same."""
    at, end = 0, len(pattern)
    while at < end:
        if pattern[at] == "\\":
            if at + 1 == end:
                return "a backslash at the end matches nothing"
            at += 1
        elif pattern[at] == "[":
            close = _closing(pattern, at)
            if close is None:
                return "`[` is not closed and stands for itself"
            for name in re.findall(r"\[:(.*?):\]", pattern[at + 1 : close]):
                if name not in _CLASSES:
                    return f"there is no character class `{name}`, so it matches nothing"
            at = close
        at += 1
    return None


def _closing(pattern: str, start: int) -> int | None:
    """The place of the bracket that closes the one at `start`: not the first character, not the end of a [:class:]."""
    at = start + 1
    at += pattern[at : at + 1] in ("!", "^")
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        if pattern.startswith("[:", at) and (stop := pattern.find(":]", at + 2)) >= 0:
            at = stop + 1
        elif pattern[at] == "\\":
            at += 1
        at += 1
    return at if at < len(pattern) else None


_OTHERS: dict[FieldType, Callable[[Span, str, Dialect], Reading]] = {
    FieldType.BYTES: _bytes,
    FieldType.BOOL: _bool,
    FieldType.DOUBLE: _double,
    FieldType.IPADDR: _address,
    FieldType.IPNET: _network,
    FieldType.DYNAMIC: lambda span, text, dialect: _text(span, text, Op.EQ),  # a parameter whose type nothing tells
}
