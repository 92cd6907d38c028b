"""What people mean in rule files by words that the grammar does not want there: guesses, the likelier first."""

from __future__ import annotations

import re

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.near import nearest
from ruleng.lang.parse.recover import ITEM_WORDS, KEYS
from ruleng.lang.parse.trouble import Guess, Trouble
from ruleng.lang.source import Span

LATER = frozenset({"threshold", "sequence"})
"""Keys of rules that correlate events, which the language keeps for later."""

_YAML = re.compile(r"-[ \t]+(?:rule|macro|list|required_\w+)[ \t]*:")


def _block_open(trouble: Trouble, before: Span) -> Diagnostic:
    last = trouble.last
    help = None
    if last and last.kind in {"BARE", "IDENT"} and last.text.endswith("}"):
        help = f"{syntax.shown(last.text)} is read as one word: put a blank before `}}`"
    return syntax.block_not_closed(trouble.of(trouble.braces[-1]), before, help)


def _item_in_block(trouble: Trouble) -> Diagnostic | None:
    """The next item begins though a rule is open."""
    at_line = trouble.begins_line(trouble.offset)
    if trouble.found in ITEM_WORDS and trouble.braces and at_line and not trouble.is_key:
        return _block_open(trouble, trouble.here)
    return None


def _parenthesis_in_rule(trouble: Trouble) -> Diagnostic | None:
    """The next key or item begins though a parenthesis is open."""
    ends = trouble.found == "}" or (trouble.found in KEYS and trouble.is_key)
    ends = ends or (trouble.found in ITEM_WORDS and trouble.begins_line(trouble.offset))
    if ends and trouble.wants("RPAR") and trouble.opened and trouble.opened[-1].text.endswith("("):
        return syntax.never_closed(trouble.of(trouble.opened[-1]))
    return None


def _key_in_exceptions(trouble: Trouble) -> Diagnostic | None:
    """`output: "..."` where the exceptions before are still open."""
    last, before = trouble.last, trouble.before
    if last and before and last.kind == "COLON" and before.text in KEYS and len(trouble.braces) > 1:
        return _block_open(trouble, trouble.of(before))
    return None


def _key(trouble: Trouble) -> Diagnostic | None:
    if not trouble.wants("TEXT_KEY"):
        return None
    if trouble.found in LATER:
        return syntax.not_available_yet(trouble.here)
    if not trouble.found[0].isalpha():
        return None
    if trouble.found in KEYS and not trouble.is_key and not trouble.wants("AND"):
        return syntax.colon_wanted(trouble.here)
    if trouble.is_key or not trouble.wants("AND"):
        return syntax.unknown_key(trouble.here, KEYS)
    return None


def _item(trouble: Trouble) -> Diagnostic | None:
    if not trouble.wants("RULE", "LIST", "IMPORT"):
        return None
    if _YAML.match(trouble.source.text, trouble.offset):
        return syntax.falco_yaml(trouble.here)
    if trouble.found in {"}", ")", "]"}:
        return syntax.closes_nothing(trouble.here)
    if trouble.found in KEYS and trouble.is_key:
        return syntax.key_outside_rule(trouble.here)
    if not trouble.wants("AND") or (trouble.begins_line(trouble.offset) and nearest(trouble.found, ITEM_WORDS)):
        return syntax.unknown_item(trouble.here, ITEM_WORDS)
    return None


def _appended(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    if last and last.kind in {"CONDITION", "COLON"} and trouble.wants("AND"):
        return syntax.appended_without_join(trouble.here)
    return None


def _unquoted_text(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("QUOTED") and not trouble.wanted & {"BARE", "WORD", "FIELD"} and trouble.found[0].isalnum():
        return syntax.unexpected(trouble.here, trouble.phrase, "names of rules and texts stand in quotes")
    return None


def _parenthesised(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("LBRACKET") and not trouble.wants("FIELD"):
        return syntax.unexpected(trouble.here, trouble.phrase, "lists of items stand in brackets: `[a, b]`")
    return None


def _rule_open_at_end(trouble: Trouble) -> Diagnostic | None:
    return _block_open(trouble, trouble.span(len(trouble.source.text), len(trouble.source.text))) if trouble.braces else None


AT_END: tuple[Guess, ...] = (_rule_open_at_end,)

ANYWHERE: tuple[Guess, ...] = (
    _parenthesis_in_rule,
    _item_in_block,
    _key_in_exceptions,
    _appended,
    _key,
    _item,
    _unquoted_text,
    _parenthesised,
)
