"""R03xx: operators, values, transformers and right-hand fields that do not fit the field they stand beside."""

from __future__ import annotations

from collections.abc import Iterable

from ruleng.lang.diagnostics import Diagnostic, Severity
from ruleng.lang.mistakes import Explanation, ticked
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

COMPILE = "LOAD_ERR_COMPILE_CONDITION"
SUSPICIOUS = "LOAD_COMPILE_CONDITION"

CODES = {
    "R0301": Explanation(
        "an operator that the type does not have",
        "Numbers compare (=, !=, <, <=, >, >=, in, intersects), texts also match (contains, icontains, startswith, endswith, glob,"
        " iglob, regex, pmatch), bytes have bcontains and bstartswith, addresses and networks only =, !=, in and intersects, fields"
        " with many values only in (all of them are in the list) and intersects (one of them is). `exists` works on all.",
    ),
    "R0302": Explanation(
        "not a number",
        "A number is written in decimal digits: no 0x, no unit (times are nanoseconds), no decimal point except with double fields"
        " in .rules files.",
    ),
    "R0303": Explanation(
        "a number that does not fit",
        "The number lies outside of what the field's type holds. Falco cuts it down silently, so that `user.uid = 4294967296`"
        " matches root; a Falco file keeps that meaning here and gets this warning, a .rules file gets an error.",
    ),
    "R0304": Explanation("not true or false", "Boolean fields are compared with `true` or `false`, in lower case."),
    "R0305": Explanation(
        "not an address",
        "Address fields are compared with one IPv4 or IPv6 address. Networks have fields of their own (`fd.net`, `fd.snet`), names"
        " too (`fd.sip.name`).",
    ),
    "R0306": Explanation(
        "not a network", "Network fields are compared with networks in CIDR form, `10.0.0.0/8`; a single host is `10.1.2.3/32`."
    ),
    "R0307": Explanation(
        "not a port",
        "A port is a number from 0 to 65535, or the name of a service as Debian's /etc/services has it: `ssh`, `https`.",
    ),
    "R0308": Explanation(
        "a character that no text holds",
        "Texts from the kernel end at a NUL, so a value with one could never be found. Byte fields (`evt.buffer`) can hold it.",
    ),
    "R0309": Explanation("not hexadecimal", "bcontains and bstartswith take bytes as pairs of hexadecimal digits: `cafebabe`."),
    "R0310": Explanation(
        "an invalid regular expression",
        "Regular expressions are RE2 in POSIX syntax and match the whole text: `.*` where more may stand. There is no \\d, \\w or"
        " (?i): write [0-9], [A-Za-z0-9_], or compare tolower(...).",
    ),
    "R0311": Explanation(
        "a regular expression that needs none",
        "The pattern is plain text, at most with `.*` at its ends; =, contains, startswith or endswith does it for less.",
    ),
    "R0312": Explanation(
        "a pattern that cannot mean what it says",
        "A glob that ends in a backslash or names an unknown character class never matches; a bracket that is not closed stands for"
        " itself. See glob(7).",
    ),
    "R0313": Explanation(
        "a field's name as a text",
        "On the right of an operator a bare word is text: `proc.name = proc.pname` compares with these letters. The field's"
        " value is `val(proc.pname)`. Quote the word in a .rules file if the text is meant.",
    ),
    "R0314": Explanation(
        "a transformer as a text", "Inside quotes `tolower(proc.name)` is text. Without the quotes it is the transformed field."
    ),
    "R0315": Explanation(
        "a comparison with <NA>",
        "Missing values are missing, not the text `<NA>`; ask with `exists` or `not ... exists`.",
    ),
    "R0316": Explanation(
        "one value wanted", "This operator compares with one value. A list needs in, intersects, pmatch, or oneof, anyof, allof."
    ),
    "R0317": Explanation(
        "a modifier that the operator does not take",
        "oneof, anyof and allof go with operators that compare with one value; in, intersects, pmatch and the orderings have none.",
    ),
    "R0318": Explanation("a value is missing", "The operator needs something to compare with; only `exists` stands alone."),
    "R0319": Explanation("unknown operator", "The operators are listed under R0301."),
    "R0320": Explanation(
        "unknown transformer",
        "The transformers are tolower, toupper, b64, basename, len, join, concat and getopt; on the right also val.",
    ),
    "R0321": Explanation("too few or too many arguments", "The signature of the transformer in the message says what it takes."),
    "R0322": Explanation("an argument of the wrong type", "The signature of the transformer in the message says what it takes."),
    "R0323": Explanation(
        "a transformer's own argument",
        'Only getopt takes an argument in brackets, one option letter: `getopt(proc.args, "p:")[p]` is the value of -p.',
    ),
    "R0324": Explanation(
        "a field that cannot be transformed",
        "The field stands for many values (all ancestors, both ends of a connection) or has no fixed type, so a transformer has"
        " nothing to work on.",
    ),
    "R0325": Explanation(
        "val() in the wrong place",
        "val(field) stands on the right of an operator and holds one field. On the left a field needs no val.",
    ),
    "R0326": Explanation("transformers nested too deeply", "Nobody can read it, and it costs time for each event."),
    "R0330": Explanation(
        "an operator that takes no field on the right",
        "regex and pmatch take constants, since their patterns are prepared at load.",
    ),
    "R0331": Explanation(
        "a field that cannot be compared with a field",
        "Fields that stand for many values or for a network, and evt.type, are compared with constants only.",
    ),
    "R0332": Explanation(
        "sides of different types", "Both sides of a comparison must have one type, and both be lists or neither."
    ),
}


def _error(code: str, message: str, span: Span, *, label: str = "", help: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity="error", message=message, span=span, label=label, help=help, falco=COMPILE)


def _warning(code: str, message: str, span: Span, *, help: str | None = None, falco: str | None = SUSPICIOUS) -> Diagnostic:
    return Diagnostic(code=code, severity="warning", message=message, span=span, help=help, falco=falco)


# --- operators --------------------------------------------------------------------------------------------------------


def operator_unsupported(span: Span, op: str, what: str, type: str, operators: Iterable[str]) -> Diagnostic:
    return _error(
        "R0301",
        f"`{op}` does not work on `{what}`, which is {type}",
        span,
        help=f"it takes {', '.join(operators)}",
    )


def unknown_operator(span: Span, op: str, operators: Iterable[str]) -> Diagnostic:
    return _error("R0319", f"unknown operator {ticked(op)}", span, help=did_you_mean(op, operators))


def one_value_wanted(span: Span, op: str) -> Diagnostic:
    return _error(
        "R0316", f"`{op}` compares with one value, found a list", span, help=f"for a list: `{op} anyof (...)` or `in (...)`"
    )


def modifier_unsupported(span: Span, op: str, modifier: str) -> Diagnostic:
    return _error("R0317", f"`{op}` takes no `{modifier}`", span)


def value_missing(span: Span, op: str) -> Diagnostic:
    return _error("R0318", f"`{op}` needs a value on its right", span)


# --- values -----------------------------------------------------------------------------------------------------------


def not_a_number(span: Span, text: str, *, help: str | None) -> Diagnostic:
    return _error("R0302", f"{ticked(text)} is not a number", span, help=help)


def number_does_not_fit(span: Span, text: str, type: str, bounds: tuple[int, int], wrapped: int | None) -> Diagnostic:
    """`wrapped`: what Falco makes of the number, in a Falco file, where this is a warning."""
    severity: Severity = "error" if wrapped is None else "warning"
    return Diagnostic(
        code="R0303",
        severity=severity,
        message=f"{ticked(text)} does not fit in {type}, which holds {bounds[0]} to {bounds[1]}",
        span=span,
        label="" if wrapped is None else f"Falco takes it as {wrapped}",
        falco=COMPILE if severity == "error" else None,
    )


def not_a_boolean(span: Span, text: str) -> Diagnostic:
    meant = {"1": "true", "yes": "true", "on": "true", "0": "false", "no": "false", "off": "false"}.get(text.lower(), text.lower())
    found = f"did you mean `{meant}`?" if meant in ("true", "false") else "write `true` or `false`"
    return _error("R0304", f"{ticked(text)} is neither `true` nor `false`", span, help=found)


def not_an_address(span: Span, text: str) -> Diagnostic:
    hint = "networks go with `fd.net` and its like" if "/" in text else None
    return _error("R0305", f"{ticked(text)} is not an IPv4 or IPv6 address", span, help=hint)


def mapped_address(span: Span, text: str, plain: str) -> Diagnostic:
    return _error("R0305", f"`{text}` is an IPv4 address in IPv6 clothes, which no event has", span, help=f"write `{plain}`")


def not_a_network(span: Span, text: str, reason: str) -> Diagnostic:
    return _error("R0306", f"{ticked(text)} is not a network", span, label=reason)


def not_a_port(span: Span, text: str, services: Iterable[str]) -> Diagnostic:
    return _error("R0307", f"{ticked(text)} is neither a port nor the name of a service", span, help=did_you_mean(text, services))


def empty_port(span: Span) -> Diagnostic:
    return Diagnostic(code="R0307", severity="warning", message="an empty port", span=span, label="Falco takes it as 0", falco=None)


def nul_in_text(span: Span) -> Diagnostic:
    return _error("R0308", "a text cannot hold a NUL (\\x00)", span)


def no_text(span: Span) -> Diagnostic:
    return _error("R0308", "a text cannot hold half of a surrogate pair", span)


def not_hex(span: Span, op: str, text: str) -> Diagnostic:
    label = "an odd number of digits" if len(text) % 2 else ""
    return _error("R0309", f"`{op}` takes bytes as pairs of hexadecimal digits, found {ticked(text)}", span, label=label)


_REGEX_HINTS = {
    "(?i)": "compare tolower(...) with a pattern in lower case",
    "\\w": "write `[A-Za-z0-9_]`",
    "\\d": "write `[0-9]`",
    "\\s": "write `[ \\t\\n]`",
    "\\b": "POSIX syntax has no word boundary",
    "(?": "POSIX syntax has plain groups only: `(...)`",
}


def invalid_regex(span: Span, text: str, reason: str) -> Diagnostic:
    hint = next((hint for sign, hint in _REGEX_HINTS.items() if sign in text), None)
    return _error("R0310", f"invalid regular expression: {reason}", span, help=hint)


def needless_regex(span: Span, text: str, instead: str) -> Diagnostic:
    return _warning(
        "R0311", f"{ticked(text)} needs no regular expression", span, help=f"consider {ticked(instead)}, which is faster"
    )


def odd_pattern(span: Span, text: str, reason: str) -> Diagnostic:
    return _warning("R0312", f"{ticked(text)} may not mean what it says: {reason}", span, falco=None)


def field_as_text(span: Span, text: str) -> Diagnostic:
    return _warning(
        "R0313", f"{ticked(text)} is a text here, not the field", span, help=f"the field's value is `val({text.strip()})`"
    )


def transformer_as_text(span: Span, text: str) -> Diagnostic:
    return _warning(
        "R0314", f"{ticked(text)} is a text here, not a transformed field", span, help="leave the quotes out for the field"
    )


def compared_with_na(span: Span, field: str, *, falco: bool) -> Diagnostic:
    code = "LOAD_UNSAFE_NA_CHECK" if falco else None
    return _warning("R0315", "a missing value is not the text `<NA>`", span, help=f"write `not {field} exists`", falco=code)


# --- transformers -----------------------------------------------------------------------------------------------------


def unknown_transformer(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0320", f"unknown transformer {ticked(name)}", span, help=did_you_mean(name, known))


def wrong_argument_count(span: Span, signature: str, found: int) -> Diagnostic:
    return _error("R0321", f"`{signature}` does not go with {found} argument{'s' if found != 1 else ''}", span)


def wrong_argument(span: Span, signature: str, wanted: str, found: str) -> Diagnostic:
    return _error("R0322", f"`{signature}` wants {wanted} here, found {found}", span)


def wrong_item(span: Span, found: str) -> Diagnostic:
    return _error("R0322", f"a list of arguments holds texts, found {found}", span)


def transformer_argument_unwanted(span: Span, name: str) -> Diagnostic:
    return _error("R0323", f"`{name}` takes no argument in brackets", span)


def not_an_option(span: Span, arg: str) -> Diagnostic:
    return _error("R0323", f"{ticked(arg)} is not one option letter", span, help="`getopt(...)[p]` is the value of -p")


def not_transformable(span: Span, field: str) -> Diagnostic:
    return _error("R0324", f"`{field}` cannot be transformed", span)


def val_on_the_left(span: Span) -> Diagnostic:
    return _error("R0325", "`val` stands on the right of an operator only", span, help="on the left the field needs no `val`")


def val_wants_a_field(span: Span) -> Diagnostic:
    return _error("R0325", "`val` wants one field", span)


def nested_too_deeply(span: Span, limit: int) -> Diagnostic:
    return _error("R0326", f"more than {limit} transformers inside one another", span)


# --- fields on the right ----------------------------------------------------------------------------------------------


def operator_without_fields(span: Span, op: str) -> Diagnostic:
    return _error("R0330", f"`{op}` takes constants, not a field", span)


def constants_only(span: Span, field: str) -> Diagnostic:
    return _error("R0331", f"`{field}` is compared with constants only", span)


def not_on_the_right(span: Span, field: str) -> Diagnostic:
    return _error("R0331", f"`{field}` cannot stand on the right", span)


def different_types(span: Span, left: str, left_type: str, right: str, right_type: str) -> Diagnostic:
    return _error("R0332", f"`{left}` is {left_type}, `{right}` is {right_type}", span, label="both sides must be of one type")
