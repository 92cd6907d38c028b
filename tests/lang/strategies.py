"""Random conditions and rule files, as trees that a text can say."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from ruleng.lang.ast import (
    ActionCall,
    And,
    Call,
    Check,
    Condition,
    EngineVersion,
    ExceptionDecl,
    Expr,
    FieldRef,
    Import,
    Item,
    ListDecl,
    ListLit,
    Literal,
    MacroDecl,
    Name,
    Not,
    OperandList,
    Or,
    Ref,
    RuleDecl,
    RuleFile,
    ThrottleDecl,
)
from ruleng.lang.layout import write_condition
from ruleng.lang.parse.spelling import ODD
from ruleng.lang.source import Source

TEXT_OPERATORS = (
    "=",
    "==",
    "!=",
    "glob",
    "iglob",
    "contains",
    "icontains",
    "bcontains",
    "startswith",
    "bstartswith",
    "endswith",
    "regex",
)
LIST_OPERATORS = ("in", "intersects", "pmatch")
MODIFIERS = ("oneof", "anyof", "allof")

identifiers = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,8}", fullmatch=True)
names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,8}", fullmatch=True)
raw_bytes = st.binary(max_size=12).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
texts = st.text(max_size=12) | st.text(alphabet=" \\\"'\n\t=,()#{}[]a", max_size=12) | raw_bytes
"""Anything that a quoted string can hold: no half of a surrogate pair, since no file has one."""

numbers = st.from_regex(r"0[xX][0-9a-fA-F]{1,4}|[+-]?[0-9]{1,5}(\.[0-9]{0,3})?([eE][+-][0-9]{1,2})?", fullmatch=True)


def _bare_words(pattern: str) -> st.SearchStrategy[str]:
    words = st.from_regex(pattern, fullmatch=True) | st.sampled_from(
        ["not", "and", "*.log", "/etc/[a-z]*", "10.0.0.0/8", "a#b", "é", "}"]
    )
    plain = re.compile(pattern)
    return words.filter(lambda word: bool(plain.fullmatch(word)) and word not in MODIFIERS and not ODD.search(word))


literals = texts.map(lambda text: Literal(text, True)) | _bare_words(
    r"""[^()"'\s=,#\x00-\x1f\x7f][^()"'\s=,\x00-\x1f\x7f]{0,8}"""
).map(Literal)
arguments = st.none() | _bare_words(r"""[^\[\]"'\s\x00-\x1f\x7f]{1,8}""") | texts
fields = st.builds(FieldRef, st.lists(identifiers, min_size=2, max_size=3).map(".".join), arguments)
lists = st.lists(literals, max_size=4).map(lambda items: ListLit(tuple(items)))
macros = (identifiers | st.sampled_from(["not", "notx", "output", "rule"])).map(Ref)


def _calls(inner: st.SearchStrategy[Call]) -> st.SearchStrategy[Call]:
    element = fields | inner | numbers.map(Literal) | texts.map(lambda text: Literal(text, True))
    operands = st.lists(element, max_size=3).map(lambda items: OperandList(tuple(items)))
    transformers = st.sampled_from(["tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"])
    return st.builds(Call, transformers, st.lists(element | operands, min_size=1, max_size=3).map(tuple), arguments)


calls = st.recursive(st.builds(Call, st.just("len"), fields.map(lambda field: (field,))), _calls, max_leaves=4)
vals = st.builds(Call, st.just("val"), fields.map(lambda field: (field,)), arguments)
operands = fields | calls
rights = vals | calls

checks = st.one_of(
    st.builds(Check, operands, st.just("exists"), st.none()),
    st.builds(Check, operands, st.sampled_from(["<", "<=", ">", ">="]), numbers.map(Literal) | rights),
    st.builds(Check, operands, st.sampled_from(TEXT_OPERATORS), literals | rights),
    st.builds(Check, operands, st.sampled_from(TEXT_OPERATORS), lists, st.sampled_from(MODIFIERS)),
    st.builds(Check, operands, st.sampled_from(LIST_OPERATORS), lists | identifiers.map(Literal) | rights),
)


def _joined(children: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(children, min_size=2, max_size=4).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, children)


exprs: st.SearchStrategy[Expr] = st.recursive(checks | macros, _joined, max_leaves=10)


# --- files ------------------------------------------------------------------------------------------------------------

file_names = names.map(Name) | texts.map(Name)
words = (_bare_words(r"""[^()\[\]{}"'\s=,#\x00-\x1f\x7f][^()\[\]{}"'\s=,\x00-\x1f\x7f]{0,8}""") | texts).map(Name)
items = texts.map(lambda text: Literal(text, True)) | _bare_words(
    r"""[^()\[\]{}"'\s=,#\x00-\x1f\x7f][^()\[\]{}"'\s=,\x00-\x1f\x7f]{0,8}"""
).map(Literal)


def _condition(expr: Expr) -> Condition:
    return Condition(Source("", write_condition(expr)), expr)


def _more(joined: tuple[str, Expr]) -> Condition:
    word, expr = joined
    text = write_condition(expr)
    return Condition(Source("", f"{word} ({text})"), None)


conditions = exprs.map(_condition)
continuations = st.tuples(st.sampled_from(["and", "or"]), exprs).map(_more)
nanoseconds = st.integers(1, 10**8).map(lambda ms: ms * 10**6)
actions = st.builds(
    ActionCall,
    names.map(Name),
    st.lists(words, max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(["signal", "scope"]).map(Name), words), max_size=2).map(tuple),
)
cells = items | st.lists(items, max_size=2).map(lambda some: ListLit(tuple(some))) | rights


@st.composite
def exceptions(draw: st.DrawFn) -> ExceptionDecl:
    name = Name(draw(names))
    if draw(st.booleans()):
        comps = st.sampled_from([*LIST_OPERATORS, "= anyof", "contains oneof"]).map(lambda comp: (Name(comp),))
        values = draw(st.none() | st.lists((items | rights).map(lambda item: (item,)), max_size=3).map(tuple))
        if values is not None and draw(st.booleans()):
            return ExceptionDecl(name, None, None, values, True)
        return ExceptionDecl(name, (draw(operands),), draw(comps), values, True)
    columns = draw(st.lists(operands, min_size=1, max_size=3).map(tuple))
    comps_or_none = draw(
        st.none() | st.tuples(*[st.sampled_from([*TEXT_OPERATORS, "<", "in", "!= allof"]).map(Name)] * len(columns))
    )
    row = st.tuples(*[cells] * len(columns))
    rows = draw(st.none() | st.lists(row, max_size=3).map(tuple))
    if rows and draw(st.booleans()):
        return ExceptionDecl(name, None, None, rows)
    return ExceptionDecl(name, columns, comps_or_none, rows)


_shared = {
    "desc": texts.map(Name),
    "output": texts.map(Name),
    "tags": st.lists(words, max_size=3).map(tuple),
    "actions": st.lists(actions, max_size=2).map(tuple),
    "exceptions": st.lists(exceptions(), max_size=2).map(tuple),
}
_others = {
    "priority": words,
    "enabled": st.booleans(),
    "throttle": st.builds(ThrottleDecl, st.integers(1, 10**6), nanoseconds, st.lists(fields, max_size=2).map(tuple)),
    "warn_evttypes": st.booleans(),
    "skip_unknown": st.booleans(),
    "capture": st.booleans(),
    "capture_duration_ms": st.integers(0, 10**8),
}


@st.composite
def _rules(draw: st.DrawFn) -> RuleDecl:
    name = Name(draw(texts))
    kind = draw(st.sampled_from(["define", "append", "replace"]))
    possible = _shared if kind == "append" else _shared | _others
    chosen = draw(st.lists(st.sampled_from(sorted(possible)), unique=True, min_size=1))
    values = {key: draw(possible[key]) for key in chosen}
    if kind == "define":
        required = {"condition": conditions, "output": texts.map(Name), "priority": words}
        values |= {key: draw(strategy) for key, strategy in required.items()} | {"source": draw(st.none() | words)}
        return RuleDecl(name, **values)
    if draw(st.booleans()):
        values["condition"] = draw(continuations if kind == "append" else conditions)
    return RuleDecl(name, modes=tuple((key, kind) for key in values), **values)


file_items: st.SearchStrategy[Item] = st.one_of(
    st.builds(Import, texts.map(Name)),
    st.builds(EngineVersion, texts.map(Name)),
    st.builds(ListDecl, file_names, st.lists(items, max_size=4).map(tuple), st.sampled_from(["define", "append", "replace"])),
    st.builds(MacroDecl, file_names, conditions, st.sampled_from(["define", "replace"])),
    st.builds(MacroDecl, file_names, continuations, st.just("append")),
    _rules(),
)
rule_files = st.lists(file_items, max_size=4).map(lambda some: RuleFile(Source("", ""), tuple(some), "rules"))
