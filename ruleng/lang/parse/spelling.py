"""Words of conditions, and what people write instead of them."""

from __future__ import annotations

import re

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.source import Span

TRANSFORMERS = ("tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt", "val")
_SYMBOLS = ("=", "==", "!=", "<", "<=", ">", ">=")
_LISTS = ("in", "intersects", "pmatch")
SPACED = ("contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith", "glob", "iglob", "regex")
"""Operators that need a blank behind them."""
OPERATORS = (*_SYMBOLS, *SPACED, *_LISTS, "exists")
MODIFIERS = ("oneof", "anyof", "allof")

ELSEWHERE = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "=!": "!=",
    "===": "=",
    "!==": "!=",
    "~": "regex",
    "=~": "regex",
    "~=": "regex",
    "is": "=",
    "eq": "=",
    "equals": "=",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "like": "glob",
    "match": "regex",
    "matches": "regex",
    "rx": "regex",
    "has": "contains",
    "includes": "contains",
    "exist": "exists",
}
"""How other languages write operators of this one."""

_ODD = {
    "\u00a0": ("a blank that does not break", "a plain blank"),
    "\u2007": ("a blank that does not break", "a plain blank"),
    "\u202f": ("a blank that does not break", "a plain blank"),
    "\u3000": ("a wide blank", "a plain blank"),
    "\u201c": ("a typographic quote", '`"`'),
    "\u201d": ("a typographic quote", '`"`'),
    "\u201e": ("a typographic quote", '`"`'),
    "\u00ab": ("a typographic quote", '`"`'),
    "\u00bb": ("a typographic quote", '`"`'),
    "\u2018": ("a typographic quote", "`'`"),
    "\u2019": ("a typographic quote", "`'`"),
    "\u2260": ("no operator", "`!=`"),
    "\u2264": ("no operator", "`<=`"),
    "\u2265": ("no operator", "`>=`"),
    "\u2013": ("a dash", "`-`"),
    "\u2014": ("a dash", "`-`"),
    "\u200b": ("a character of no width", None),
    "\u200c": ("a character of no width", None),
    "\u200d": ("a character of no width", None),
    "\u2060": ("a character of no width", None),
    "\ufeff": ("a byte order mark", None),
}
ODD = re.compile("[" + "".join(_ODD) + "]")
"""Characters that come out of word processors and web pages."""


def odd_character(span: Span) -> Diagnostic:
    """About a span of one such character."""
    name, right = _ODD[span.text]
    return syntax.odd_character(span, name, right)
