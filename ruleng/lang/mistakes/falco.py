"""R05xx: what only Falco's YAML files can get wrong, each with the code that Falco itself gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ruleng.lang.diagnostics import Diagnostic, Label
from ruleng.lang.mistakes import Explanation
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

VALIDATE = "LOAD_ERR_VALIDATE"
STRUCTURE = "LOAD_ERR_YAML_VALIDATE"
CONDITION = "LOAD_ERR_COMPILE_CONDITION"
BREAKS_CONDITION = "R0523"

CODES = {
    "R0501": Explanation(
        "not YAML",
        "The file cannot be read as YAML, so nothing in it is checked. Tabs do not indent, and a value with `: ` or ` #` in it, or"
        " that begins with one of []{}&*!|>'\"%@`, needs quotes.",
    ),
    "R0502": Explanation(
        "not a list of items", "A Falco rule file is a sequence of items: each begins with a dash and is a mapping."
    ),
    "R0503": Explanation(
        "a key is missing",
        "A rule needs `condition`, `output`, `desc` and `priority`, a macro its `condition`, a list its `items`, an exception its"
        " `name` and `fields`.",
    ),
    "R0504": Explanation(
        "a value of the wrong kind", "The key wants a text, a sequence or a mapping, and has something else or nothing."
    ),
    "R0505": Explanation(
        "a value that cannot be read",
        "`enabled` and its like are yes or no (true, false, on, off), `capture_duration` is a number of milliseconds.",
    ),
    "R0506": Explanation(
        "invalid priority",
        "The priorities are emergency, alert, critical, error, warning, notice, informational (or info) and debug, in any case.",
    ),
    "R0507": Explanation("unknown key", "Falco and ruleng ignore the key; it is misspelt, or belongs to another kind of item."),
    "R0508": Explanation("a key twice", "YAML forbids it and Falco takes the first silently."),
    "R0509": Explanation(
        "unknown item",
        "An item has one of the keys `rule`, `macro`, `list`, `required_engine_version` and `required_plugin_versions`; this one is"
        " ignored.",
    ),
    "R0510": Explanation(
        "`append: true` is deprecated",
        "Say what is appended instead: `override: {condition: append}`, `override: {items: append}`.",
    ),
    "R0511": Explanation(
        "`enabled` alone is deprecated",
        "A rule item with nothing but `enabled` switches an earlier rule; Falco wants `override: {enabled: replace}` with it.",
    ),
    "R0512": Explanation(
        "`append` and `override` together", "They are two ways to say one thing, and Falco takes only one of them."
    ),
    "R0513": Explanation(
        "an override that cannot be",
        "`condition`, `output`, `desc`, `tags` and `exceptions` of a rule can be appended to or replaced, `priority`, `enabled`,"
        " `warn_evttypes`, `skip-if-unknown-filter`, `capture` and `capture_duration` only replaced; a macro's `condition` and a"
        " list's `items` both.",
    ),
    "R0514": Explanation("an override without its value", "`override` names a key that the item does not have."),
    "R0515": Explanation(
        "a value without its override",
        "An item with `override` changes an earlier rule, so each key with a new value must say there whether it is appended or"
        " replaced.",
    ),
    "R0516": Explanation(
        "a key that has no effect", "Beside `append: true` Falco reads only `condition` and `exceptions`; the key is ignored."
    ),
    "R0517": Explanation(
        "engine version", "`required_engine_version` is a number N (0.N.0) or x.y.z, and not beyond the version that ruleng speaks."
    ),
    "R0518": Explanation(
        "plugin versions",
        "`required_plugin_versions` is a sequence of {name, version, alternatives}; versions are x.y.z. ruleng has no plugins and"
        " needs none: the container fields are built in.",
    ),
    "R0519": Explanation(
        "a macro that cannot be used",
        "A macro's name is letters, digits and underscores, and begins with a letter; a condition cannot mention another.",
    ),
    "R0520": Explanation(
        "an odd name of a list",
        "A list's name has no blanks, quotes, parentheses, commas or `=`, or conditions that mention it are hard to read at best.",
    ),
    "R0521": Explanation(
        "an exception twice", "The rule has two exceptions of one name. Both hold, but values appended later go to the first."
    ),
    "R0522": Explanation("an exception without values", "The item changes an exception and brings no values, so nothing changes."),
    "R0523": Explanation(
        "a value that breaks the condition",
        "Falco puts values into the condition as they stand, unless they hold a blank. Quotes, parentheses, commas and `=` then end"
        " the value early. Put the value in double quotes inside the YAML quotes: '\"a=b\"'.",
    ),
    "R0524": Explanation(
        "a value that Falco splits",
        "Falco puts values into the condition as they stand, so one with a comma becomes two there. Here it stays one. Put it in"
        " double quotes inside the YAML quotes ('\"a,b\"') and both agree.",
    ),
    "R0525": Explanation(
        "a list's name inside quotes",
        "Falco replaces the names of lists in a condition before it reads it, also inside quotes. Here the quoted text stays as it"
        " is. Rename the list, and both agree.",
    ),
    "R0526": Explanation(
        "a check that Falco never finds true",
        "Falco compares `fd.ip` with a list wrongly: the check is false for every event, without a word. Here it works. For both,"
        " ask for the ends: `fd.cip in (...) or fd.sip in (...)`.",
    ),
    "R0527": Explanation(
        "networks that Falco does not look at",
        "Falco compares `fd.net` with the first network of a list only, without a word. Here all count. For both, ask for the ends:"
        " `fd.cnet in (...) or fd.snet in (...)`.",
    ),
}


def _error(code: str, message: str, span: Span, falco: str = STRUCTURE, *, label: str = "", help: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity="error", message=message, span=span, label=label, help=help, falco=falco)


def _warning(code: str, message: str, span: Span, falco: str | None, *, help: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity="warning", message=message, span=span, help=help, falco=falco)


# --- the file ---------------------------------------------------------------------------------------------------------


def not_yaml(span: Span, problem: str) -> Diagnostic:
    return _error("R0501", f"not YAML: {problem}", span, "LOAD_ERR_YAML_PARSE")


def not_items(span: Span, found: str) -> Diagnostic:
    return _error("R0502", f"wanted a sequence of items, found {found}", span)


def not_an_item(span: Span, found: str) -> Diagnostic:
    return _error("R0502", f"wanted an item (a mapping), found {found}", span)


def unknown_item(span: Span, key: str, known: Iterable[str]) -> Diagnostic:
    return _warning(
        "R0509", f"unknown item `{key}`, ignored" if key else "an item without keys, ignored", span, "LOAD_UNKNOWN_ITEM",
        help=did_you_mean(key, known),
    )  # fmt: skip


# --- keys and values --------------------------------------------------------------------------------------------------


def missing_key(span: Span, what: str, key: str) -> Diagnostic:
    return _error("R0503", f"{what} has no `{key}`", span)


def wrong_kind(span: Span, key: str, wanted: str, found: str) -> Diagnostic:
    return _error("R0504", f"`{key}` wants {wanted}, found {found}", span, label=f"{found}")


def not_a_choice(span: Span, key: str, text: str, wanted: str) -> Diagnostic:
    return _error("R0505", f"`{key}` wants {wanted}, found `{text}`", span)


def bad_priority(span: Span, text: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0506", f"invalid priority `{text}`", span, help=did_you_mean(text, known))


def unknown_key(span: Span, what: str, key: str, known: Iterable[str]) -> Diagnostic:
    return _warning("R0507", f"unknown key `{key}` of {what}, ignored", span, "LOAD_UNKNOWN_KEY", help=did_you_mean(key, known))


def duplicate_key(span: Span, key: str, first: Span) -> Diagnostic:
    message = f"`{key}` is there twice, the second is ignored"
    return replace(_warning("R0508", message, span, None), labels=(Label(first, "this one counts"),))


def append_deprecated(span: Span) -> Diagnostic:
    return _warning(
        "R0510", "`append` is deprecated", span, "LOAD_DEPRECATED_ITEM",
        help="name what is appended under `override`: `override: {condition: append}`",
    )  # fmt: skip


def enabled_deprecated(span: Span) -> Diagnostic:
    return _warning(
        "R0511", "`enabled` alone is deprecated", span, "LOAD_DEPRECATED_ITEM", help="add `override: {enabled: replace}`"
    )


def no_effect(span: Span, key: str) -> Diagnostic:
    return _warning("R0516", f"`{key}` has no effect beside `append`", span, None, help=f"use `override: {{{key}: replace}}`")


# --- overrides --------------------------------------------------------------------------------------------------------


def append_and_override(span: Span, append: Span) -> Diagnostic:
    found = _error("R0512", "`override` and `append` cannot be used together", span, help="say `append` for a key under `override`")
    return replace(found, labels=(Label(append, "`append` is here"),))


def override_impossible(span: Span, key: str, operation: str, possible: Iterable[str]) -> Diagnostic:
    choices = " or ".join(f"`{choice}`" for choice in possible)
    if operation not in {"append", "replace"}:
        message = f"`{operation}` is not an override of `{key}`"
    elif operation == "append" and choices:
        message = f"`{key}` cannot be appended to"
    else:
        message = f"`{key}` cannot be overridden"
    return _error("R0513", message, span, help=f"`{key}` can be {choices}" if choices else None)


def override_without_value(span: Span, key: str, operation: str) -> Diagnostic:
    return _error("R0514", f"`override` says {operation} for `{key}`, but the item has no `{key}`", span)


def value_without_override(span: Span, key: str) -> Diagnostic:
    return _error(
        "R0515", f"`{key}` has a new value but no entry under `override`", span,
        help=f"add `{key}: replace` under `override`",
    )  # fmt: skip


# --- versions ---------------------------------------------------------------------------------------------------------


def bad_engine_version(span: Span, text: str) -> Diagnostic:
    return _error("R0517", f"`{text}` is no engine version", span, help="write a number N (for 0.N.0) or x.y.z")


def engine_too_old(span: Span, wanted: str, ours: str) -> Diagnostic:
    return _error("R0517", f"the rules want engine version {wanted}, ruleng speaks {ours}", span, VALIDATE)


def bad_plugin_version(span: Span, plugin: str, text: str) -> Diagnostic:
    return _error("R0518", f"`{text}` is no version of plugin `{plugin}`", span, VALIDATE, help="write x.y.z")


def plugin_twice(span: Span, plugin: str) -> Diagnostic:
    return _error("R0518", f"plugin `{plugin}` is among its own alternatives", span, VALIDATE)


# --- names, exceptions, values ----------------------------------------------------------------------------------------


def bad_macro_name(span: Span, name: str) -> Diagnostic:
    return _warning("R0519", f"no condition can mention a macro named `{name}`", span, "LOAD_INVALID_MACRO_NAME")


def bad_list_name(span: Span, name: str) -> Diagnostic:
    return _warning("R0520", f"`{name}` is an odd name for a list", span, "LOAD_INVALID_LIST_NAME")


def exception_twice(span: Span, name: str) -> Diagnostic:
    return _warning("R0521", f"the rule has two exceptions named `{name}`", span, "LOAD_EXCEPTION_NAME_NOT_UNIQUE")


def exception_without_values(span: Span, name: str) -> Diagnostic:
    return _warning("R0522", f"exception `{name}` brings no values", span, "LOAD_APPEND_NO_VALUES")


def breaks_condition(span: Span, text: str) -> Diagnostic:
    return _error(
        "R0523",
        f"`{text}` cannot stand in a condition as it is",
        span,
        CONDITION,
        help="put it in double quotes inside the YAML quotes",
    )


def split_by_falco(span: Span, text: str, parts: int) -> Diagnostic:
    return _warning("R0524", f"`{text}` is one value here, Falco makes {parts} of it at the comma", span, None)


def list_name_quoted(span: Span, name: str) -> Diagnostic:
    return _warning("R0525", f"Falco puts the items of the list `{name}` into this text", span, None, help="rename the list")


def never_in_falco(span: Span, field: str, op: str) -> Diagnostic:
    return _warning("R0526", f"`{field} {op} (...)` is never true in Falco, here it works", span, None)


def first_only_in_falco(span: Span, field: str) -> Diagnostic:
    return _warning("R0527", f"Falco compares `{field}` with the first network only, here with all", span, None)
