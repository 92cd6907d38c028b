"""R0220-R0299: macros, lists, rules and exceptions: names that mean nothing, or not what they seem to mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ruleng.lang.diagnostics import Diagnostic, Label, Severity
from ruleng.lang.mistakes import Explanation
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

VALIDATE = "LOAD_ERR_VALIDATE"
STRUCTURE = "LOAD_ERR_YAML_VALIDATE"
CONDITION = "LOAD_ERR_COMPILE_CONDITION"

CODES = {
    "R0220": Explanation(
        "unknown macro",
        "A bare word in a condition is a macro's name, and no macro of this name is defined. In Falco files a macro sees only those"
        " defined before it, and a rule only those of its own file and the files before.",
    ),
    "R0221": Explanation("macros in a circle", "The macro's condition leads back to itself, so it can never be put in."),
    "R0222": Explanation(
        "a condition that grows beyond bounds",
        "With all macros and lists put in, the condition has more checks, levels or values than any event should be asked about.",
    ),
    "R0223": Explanation(
        "nothing to change",
        "An append or override changes a rule, macro or list that is defined before it, in the same file or an earlier one.",
    ),
    "R0224": Explanation(
        "defined twice",
        "A .rules file defines each name once. To change what another file defines, say so: `append` or `replace`.",
    ),
    "R0225": Explanation(
        "a rule of two sources",
        "A rule belongs to one event source; an item that changes or replaces it must name the same one or none.",
    ),
    "R0226": Explanation(
        "a list that nothing defines",
        "The name looks like a list's, but no list has it. Falco takes it as a text silently, and the check never matches. Put it"
        " in double quotes if the text is meant.",
    ),
    "R0227": Explanation(
        "lists in a circle", "The list contains itself through its items. Put the item in double quotes if the text is meant."
    ),
    "R0228": Explanation(
        "a list where one value belongs",
        "The operator compares with one value and the list has more, or none. Write `in (name)`, or `anyof (name)` after the"
        " operator.",
    ),
    "R0229": Explanation("a macro that nothing uses", "No rule and no macro mentions it."),
    "R0230": Explanation("a list that nothing uses", "No rule, macro or list mentions it."),
    "R0231": Explanation(
        "a list that Falco does not expand",
        "Falco puts lists into lists one level deep, or deeper only when the outer list is written first. Here it is always"
        " expanded fully.",
    ),
    "R0240": Explanation(
        "an exception whose parts do not fit",
        "`fields`, `comps` and each tuple of `values` have the same number of entries. One field alone, not in a list, takes one"
        " operator and a flat list of values.",
    ),
    "R0241": Explanation(
        "an operator that exceptions do not take",
        "Exceptions compare with the operators of conditions. One field with a flat list of values takes in, intersects, pmatch, or"
        " an operator with oneof, anyof or allof.",
    ),
    "R0242": Explanation("an exception's field", "The entry is not the name of a field, nor a transformer of one."),
    "R0243": Explanation(
        "an append to an exception",
        "To an exception that exists, values are appended and nothing else; one that does not needs `fields` and `values`.",
    ),
    "R0244": Explanation("an append without anything to append", "The item has neither a condition nor exceptions."),
    "R0250": Explanation("imports in a circle", "The file imports itself through others. Each file is read once all the same."),
    "R0251": Explanation("an import that cannot be read", "The path is relative to the file that imports it."),
}


def _error(
    code: str, message: str, span: Span, falco: str | None = VALIDATE, *, label: str = "", help: str | None = None
) -> Diagnostic:
    return Diagnostic(code=code, severity="error", message=message, span=span, label=label, help=help, falco=falco)


def _warning(code: str, message: str, span: Span, falco: str | None = None, *, help: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity="warning", message=message, span=span, help=help, falco=falco)


# --- macros -----------------------------------------------------------------------------------------------------------


def unknown_macro(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0220", f"unknown macro `{name}`", span, help=did_you_mean(name, known))


def list_as_macro(span: Span, name: str) -> Diagnostic:
    return _error("R0220", f"`{name}` is a list, not a macro", span, help=f"compare a field with it: `proc.name in ({name})`")


def macro_comes_later(span: Span, name: str, definition: Span) -> Diagnostic:
    return Diagnostic(
        code="R0220",
        severity="error",
        message=f"the macro `{name}` is not yet defined here",
        span=span,
        labels=(Label(definition, "it is defined here"),),
        help="Falco reads macros in order: define it before its first use",
        falco=VALIDATE,
    )


def macro_cycle(span: Span, names: Sequence[str]) -> Diagnostic:
    return _error("R0221", f"macros in a circle: {' -> '.join(f'`{name}`' for name in names)}", span)


def too_big(span: Span, what: str, unit: str, limit: int) -> Diagnostic:
    return _error("R0222", f"{what} grows to more than {limit} {unit}", span)


# --- what is changed, and what is there already -----------------------------------------------------------------------


def nothing_to_change(span: Span, kind: str, name: str, known: Iterable[str], severity: Severity) -> Diagnostic:
    return Diagnostic(
        code="R0223",
        severity=severity,
        message=f"no {kind} `{name}` is defined before this change to it",
        span=span,
        help=did_you_mean(name, known),
        falco=VALIDATE,
    )


def defined_twice(span: Span, kind: str, name: str, first: Span) -> Diagnostic:
    return Diagnostic(
        code="R0224",
        severity="error",
        message=f"the {kind} `{name}` is defined twice",
        span=span,
        labels=(Label(first, "first defined here"),),
        help="write `append` or `replace` to change it",
    )


def another_source(span: Span, name: str, before: str, now: str) -> Diagnostic:
    return _error("R0225", f"rule `{name}` has the source `{before}` and cannot get `{now}`", span)


# --- lists ------------------------------------------------------------------------------------------------------------


def unknown_list(span: Span, name: str, known: Iterable[str], severity: Severity) -> Diagnostic:
    return Diagnostic(
        code="R0226",
        severity=severity,
        message=f"no list is named `{name}`, so it is a text",
        span=span,
        help=did_you_mean(name, known) or f'write "{name}" in double quotes if the text is meant',
    )


def list_cycle(span: Span, name: str, severity: Severity) -> Diagnostic:
    return Diagnostic(
        code="R0227",
        severity=severity,
        message=f"the list `{name}` contains itself here, so the name is a text",
        span=span,
    )


def list_as_value(span: Span, name: str, op: str, count: int) -> Diagnostic:
    return _error(
        "R0228", f"`{op}` compares with one value, the list `{name}` has {count}", span, CONDITION, help=f"write `in ({name})`"
    )


def list_needs_parentheses(span: Span, name: str, op: str) -> Diagnostic:
    return _error("R0228", f"`{op}` needs the list in parentheses", span, CONDITION, help=f"write `{op} ({name})`")


def unused_macro(span: Span, name: str) -> Diagnostic:
    return _warning("R0229", f"nothing uses the macro `{name}`", span, "LOAD_UNUSED_MACRO")


def unused_list(span: Span, name: str) -> Diagnostic:
    return _warning("R0230", f"nothing uses the list `{name}`", span, "LOAD_UNUSED_LIST")


def not_expanded_by_falco(span: Span, name: str, inner: str) -> Diagnostic:
    return _warning("R0231", f"Falco takes `{inner}` as a text in the list `{name}`, here the list is put in", span)


# --- exceptions -------------------------------------------------------------------------------------------------------


def comps_unlike_fields(span: Span, wanted: str) -> Diagnostic:
    return _error("R0240", f"`comps` wants {wanted}", span)


def values_unlike_fields(span: Span, name: str, found: str, *, single: bool) -> Diagnostic:
    wanted = "texts, as `fields` is one field" if single else "sequences, one value for each field"
    return _error("R0240", f"the values of exception `{name}` must be {wanted}; found {found}", span)


def unequal_lengths(span: Span, name: str, what: str, wanted: int, found: int) -> Diagnostic:
    return _error("R0240", f"exception `{name}` has {wanted} field{'s' * (wanted != 1)} and {found} {what}", span)


def exception_operator(span: Span, op: str, *, single: bool = False) -> Diagnostic:
    why = "with a flat list of values" if single else "in exceptions"
    return _error("R0241", f"`{op}` is no operator {why}", span)


def not_a_field(span: Span, text: str, found: Sequence[Diagnostic]) -> Diagnostic:
    return _error("R0242", f"`{text}` is no field", span, label=found[0].label if found else "")


def fields_appended(span: Span, name: str, key: str) -> Diagnostic:
    return _error("R0243", f"exception `{name}` exists, its `{key}` cannot be appended", span, help="append `values` only")


def new_exception_incomplete(span: Span, name: str, key: str) -> Diagnostic:
    return _error("R0243", f"the rule has no exception `{name}` yet, so it needs `{key}`", span)


def nothing_to_append(span: Span) -> Diagnostic:
    return _error("R0244", "an appended rule needs a condition or exceptions", span)


# --- imports ----------------------------------------------------------------------------------------------------------


def import_cycle(span: Span, files: Sequence[str]) -> Diagnostic:
    return _error("R0250", f"imports in a circle: {' -> '.join(files)}", span, None)


def import_unreadable(span: Span, path: str, reason: str) -> Diagnostic:
    return _error("R0251", f"`{path}` {reason}", span, "LOAD_ERR_FILE_READ")
