"""R01xx: what cannot be read. R0101-R0129 are about conditions and words anywhere, R0130-R0159 about `.rules` files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ruleng.lang.diagnostics import Diagnostic, Label
from ruleng.lang.mistakes import Explanation
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

CODES = {
    "R0101": Explanation(
        "a word that cannot stand there",
        "The text was understood up to this word. The message says what was found and what could have come instead."
        " A condition is made of checks (`proc.name = bash`) and names of macros, with `and`, `or`, `not` and parentheses.",
    ),
    "R0102": Explanation(
        "a text that ends too early",
        "Something is missing at the end: a value after an operator, a check after `and`, an operator after a field.",
    ),
    "R0103": Explanation(
        "a bracket that is never closed",
        "Every `(`, `[` and `{` needs its counterpart. The place is that of the opening one.",
    ),
    "R0104": Explanation("a bracket that closes nothing", "There is a `)`, `]` or `}` more than was opened. Leave it out."),
    "R0105": Explanation(
        "a text whose quote is never closed",
        "A text begins and ends with the same quote. In `.rules` files it ends on the line that it begins on; write \\n for a line"
        " end inside. A backslash before a quote makes it part of the text, so a text cannot end in a backslash: write \\x5c.",
    ),
    "R0106": Explanation(
        "a backslash that means nothing",
        "Inside quotes these are known: \\b \\f \\n \\r \\t \\\\ \\/ \\xHH, \\\" inside \"...\" and \\' inside '...'. A backslash"
        " of a regular expression or a Windows path is written twice, or without quotes where there is no blank in it.",
    ),
    "R0107": Explanation(
        "an operator written as in another language",
        "The operators are = == != < <= > >= contains icontains bcontains startswith bstartswith endswith glob iglob regex in"
        " intersects pmatch exists, in lower case; conditions are joined by `and`, `or` and `not`.",
    ),
    "R0108": Explanation(
        "a character that is not what it looks like",
        "Texts copied from documents hold typographic quotes, blanks that do not break or characters of no width. They are not the"
        " ones that the language knows, and in a value they would never match.",
    ),
    "R0109": Explanation(
        "too many levels of parentheses",
        "Give parts of the condition names with macros. Falco has the same limit: 1000 calls of its parser, of which a parenthesis"
        " takes five.",
    ),
    "R0110": Explanation("an empty condition", "A condition needs at least one check or the name of a macro."),
    "R0111": Explanation(
        "a field's argument that cannot be read",
        "An argument stands in brackets right after the name: `proc.aname[2]`, `proc.env[HOME]`. One with blanks, quotes or"
        ' brackets in it is quoted: `proc.env["A B"]`. There is no blank before, after or inside the brackets.',
    ),
    "R0112": Explanation(
        "a value that needs quotes",
        "A value without quotes goes up to the next blank or one of ( ) \" ' = and the comma. Put it in quotes:"
        ' `proc.cmdline contains "--user=root"`.',
    ),
    "R0113": Explanation(
        "an unknown transformer",
        "A name right before a parenthesis is a transformer's: tolower, toupper, b64, basename, len, join, concat, getopt, and"
        " on the right side val. Macros have no arguments.",
    ),
    "R0114": Explanation(
        "a list where one value is meant, or the other way round",
        "`in`, `intersects` and `pmatch` take a list: `proc.name in (bash, zsh)`. The other operators take one value, or a list"
        " after `oneof`, `anyof` or `allof`: `proc.cmdline contains anyof (a, b)`.",
    ),
    "R0115": Explanation(
        "something that is no number",
        "`<`, `<=`, `>` and `>=` compare with a number without a unit, a field in val() or a transformer. Times are in the unit"
        " that `ruleng fields` names, mostly nanoseconds.",
    ),
    "R0116": Explanation(
        "a blank too few or too many",
        "`and`, `or`, `not` and the operators that are words need a blank behind them. After `or(...)` without a blank only another"
        " `or` may follow, as in Falco. A transformer's name has no blank before its parenthesis.",
    ),
    "R0117": Explanation("an `and` or `or` without its left side", "Both join two conditions: one before and one behind."),
    "R0130": Explanation(
        "something that is no item of a rule file",
        "A file holds `import`, `engine_version`, `list`, `macro` and `rule` items, and with `append` or `override` before them"
        " changes to lists, macros and rules of other files.",
    ),
    "R0131": Explanation(
        "an unknown key",
        "A rule has condition, desc, output, priority, source, tags, enabled, actions, throttle, exceptions, warn_evttypes,"
        " skip-if-unknown-filter, capture and capture_duration. A value that contains a colon and begins a line needs quotes.",
    ),
    "R0132": Explanation("a key that stands twice in a rule", "Only one of them can count. Leave one out."),
    "R0133": Explanation(
        "a rule that lacks something",
        "Every rule needs a condition, an output and a priority; `desc` and the rest may be left out.",
    ),
    "R0134": Explanation(
        "a block that is not closed",
        "A rule's `{` needs a `}` before the next item, and so do its exceptions. A word in a condition goes up to the next blank,"
        " so `}` needs a blank before it there.",
    ),
    "R0135": Explanation(
        "a word kept for a later version",
        "`threshold:` and `sequence by ... within ...` will correlate events. They do nothing yet.",
    ),
    "R0136": Explanation("a file that is no text", "The file holds NUL bytes: it is a program, an archive or a UTF-16 text."),
    "R0137": Explanation(
        "a key that cannot be appended or overridden",
        "condition, output, desc, tags, exceptions and actions can be appended; all keys but source can be overridden.",
    ),
    "R0138": Explanation(
        "an appended condition that joins nothing",
        "What is appended continues the earlier condition, so it begins with `and` or `or`. It means what it would mean if it stood"
        " there: `a or b` with `and c` is `a or (b and c)`.",
    ),
    "R0139": Explanation("a number out of range", "Numbers are whole, from 1, with at most nine digits."),
    "R0140": Explanation(
        "a file without items", "The file holds no rule, list or macro. It may have been cut off, or be the wrong one."
    ),
    "R0141": Explanation(
        "Falco's YAML in a `.rules` file", "Give the file the name NAME.yaml, or convert it: `ruleng convert FILE > NAME.rules`."
    ),
}

_COMPILE = "LOAD_ERR_COMPILE_CONDITION"
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\u0080-\u009f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]")
_LONGEST = 40


def shown(text: str) -> str:
    """Any text in back-ticks, short and printable."""
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return f"`{_UNPRINTABLE.sub(_as_escape, text)}`"


def _as_escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if 0xDC80 <= number <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _error(
    code: str, message: str, span: Span, label: str = "", *, help: str | None = None, labels: tuple[Label, ...] = ()
) -> Diagnostic:
    falco = _COMPILE if code < "R0130" else None
    return Diagnostic(code=code, severity="error", message=message, span=span, label=label, labels=labels, help=help, falco=falco)


# --- words and conditions ---------------------------------------------------------------------------------------------


def unexpected(span: Span, wanted: str, help: str | None = None) -> Diagnostic:
    return _error("R0101", f"found {shown(span.text)}, wanted {wanted}", span, help=help)


def ends_early(span: Span, after: str, wanted: str, help: str | None = None) -> Diagnostic:
    return _error("R0102", f"nothing after {shown(after)}, wanted {wanted}", span, help=help)


def never_closed(opening: Span, help: str | None = None) -> Diagnostic:
    return _error("R0103", f"{shown(opening.text)} is never closed", opening, help=help)


def closes_nothing(span: Span) -> Diagnostic:
    return _error("R0104", f"{shown(span.text)} closes nothing", span, help="leave it out")


def text_not_closed(span: Span, quote: str, backslash: bool = False) -> Diagnostic:
    """`backslash`: a closing quote is there, but a backslash stands before it."""
    help = "a backslash before a quote makes it part of the text: write `\\x5c` for one at the end" if backslash else None
    return _error("R0105", f"the text has no closing {quote}", span, "begins here", help=help)


def bad_escape(span: Span, quote: str) -> Diagnostic:
    escaped = span.text[1:2]
    if escaped in {"'", '"'}:
        help = f"inside {quote}...{quote} a {escaped} needs no backslash"
    elif escaped == "x":
        help = "two hexadecimal digits follow `\\x`"
    else:
        help = f"write `\\\\{escaped}` for a backslash"
    return _error("R0106", f"{shown(span.text)} means nothing inside quotes", span, help=help)


def written_otherwise(span: Span, right: str) -> Diagnostic:
    return _error("R0107", f"there is no {shown(span.text)}", span, help=f"write `{right}`")


def unknown_operator(span: Span, known: Iterable[str], help: str | None = None) -> Diagnostic:
    return _error("R0107", f"unknown operator {shown(span.text)}", span, help=help or did_you_mean(span.text, known))


def odd_character(span: Span, name: str, right: str | None) -> Diagnostic:
    help = f"write {right}" if right else "leave it out"
    return _error("R0108", f"{shown(span.text)} is {name}", span, help=help)


def too_deep(span: Span, levels: int) -> Diagnostic:
    return _error("R0109", f"more than {levels} levels of parentheses", span, help="give a part a name with a macro")


def empty_condition(span: Span) -> Diagnostic:
    return _error("R0110", "the condition is empty", span)


def bad_argument(span: Span, field: str) -> Diagnostic:
    help = f'no blanks in or before the brackets; quotes around what is no plain word: `{field}["a b"]`'
    return _error("R0111", f"the argument of {shown(field)} cannot be read", span, help=help)


def needs_quotes(span: Span, at: str) -> Diagnostic:
    quote = "'" if '"' in span.text else '"'
    help = f"put the value in quotes: `{quote}{span.text}{quote}`" if quote not in span.text else "put the value in quotes"
    return _error("R0112", f"a value without quotes ends before {shown(at)}", span, help=help)


def unknown_transformer(span: Span, known: Iterable[str]) -> Diagnostic:
    help = did_you_mean(span.text, known) or "a text with parentheses in it needs quotes"
    return _error("R0113", f"unknown transformer {shown(span.text)}", span, help=help)


def one_value_wanted(span: Span, op: str, *, modifiable: bool) -> Diagnostic:
    help = "a list goes with `in`" if op in {"=", "=="} else f"write `{op} anyof (...)` for any of them" if modifiable else None
    return _error("R0114", f"`{op}` takes one value, not a list", span, help=help)


def list_wanted(span: Span, op: str) -> Diagnostic:
    return _error("R0114", f"`{op}` takes a list", span, help=f"put {shown(span.text)} in parentheses")


def number_wanted(span: Span, op: str) -> Diagnostic:
    return _error("R0115", f"`{op}` compares with a number, found {shown(span.text)}", span)


def number_with_unit(span: Span) -> Diagnostic:
    return _error("R0115", f"a number has no unit: {shown(span.text)}", span, help="`ruleng fields` says what the field's unit is")


def blank_wanted(span: Span) -> Diagnostic:
    return _error("R0116", f"{shown(span.text)} needs a blank behind it", span)


def blank_before_parenthesis(span: Span, name: str) -> Diagnostic:
    return _error("R0116", f"a blank between {shown(name)} and its parenthesis", span, help=f"write `{name}(`")


def only_or_after_or(span: Span) -> Diagnostic:
    return _error("R0116", "after `or(...)` only another `or` may follow", span, help="put a blank between `or` and `(`")


def joins_nothing(span: Span) -> Diagnostic:
    return _error("R0117", f"nothing before {shown(span.text)} to join", span)


# --- rule files -------------------------------------------------------------------------------------------------------


def unknown_item(span: Span, known: Iterable[str]) -> Diagnostic:
    wanted = "`list`, `macro`, `rule`, `append`, `override`, `import` or `engine_version`"
    return _error("R0130", f"found {shown(span.text)}, wanted {wanted}", span, help=did_you_mean(span.text, known))


def key_outside_rule(span: Span) -> Diagnostic:
    return _error("R0130", f"{shown(span.text)} stands outside a rule", span, help='rules are written `rule "NAME" { ... }`')


def unknown_key(span: Span, known: Iterable[str]) -> Diagnostic:
    return _error("R0131", f"unknown key {shown(span.text)}", span, help=did_you_mean(span.text, known))


def colon_wanted(span: Span) -> Diagnostic:
    return _error("R0101", f"{shown(span.text)} needs a `:` behind it", span)


def key_twice(span: Span, first: Span) -> Diagnostic:
    return _error("R0132", f"{shown(span.text)} stands twice", span, "again here", labels=(Label(first, "first here"),))


def keys_missing(rule: Span, keys: Iterable[str]) -> Diagnostic:
    return _error("R0133", f"the rule has no {' and no '.join(f'`{key}`' for key in keys)}", rule)


def block_not_closed(opening: Span, before: Span, help: str | None = None) -> Diagnostic:
    found = Label(before, "wanted `}` before this") if before.text else Label(before, "the file ends here")
    return _error("R0134", "`{` is never closed", opening, "opened here", labels=(found,), help=help)


def not_available_yet(span: Span) -> Diagnostic:
    return _error("R0135", f"{shown(span.text)} is not available yet", span, help="leave it out, or match single events")


def not_text(span: Span) -> Diagnostic:
    return _error("R0136", "the file is no text: it holds a NUL byte", span)


def changes_nothing(rule: Span, mode: str) -> Diagnostic:
    what = "appended to" if mode == "append" else "overridden in"
    return _error("R0133", f"nothing is {what} the rule", rule)


def not_appendable(span: Span) -> Diagnostic:
    return _error("R0137", f"{shown(span.text)} cannot be appended to", span, help="`override rule` replaces it")


def source_fixed(span: Span) -> Diagnostic:
    return _error("R0137", "a rule's source cannot be changed", span, help="define the rule anew")


def appended_without_join(span: Span) -> Diagnostic:
    return _error("R0138", f"an appended condition begins with `and` or `or`, not {shown(span.text)}", span)


def out_of_range(span: Span, what: str) -> Diagnostic:
    return _error("R0139", f"{shown(span.text)} is out of range for {what}", span)


def no_items(span: Span) -> Diagnostic:
    return Diagnostic(code="R0140", severity="warning", message="the file has no rules, lists or macros", span=span)


def falco_yaml(span: Span) -> Diagnostic:
    help = "name the file *.yaml, or convert it with `ruleng convert`"
    return _error("R0141", "this looks like a Falco file in YAML", span, help=help)
