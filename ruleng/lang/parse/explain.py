"""Why a text cannot be read on: from the place, the words before it and what the grammar wants there to a mistake with a name.

The grammar knows only which words it wants. What people mean by others is here, as a row of guesses: the first that fits is
told, and where none does, what was found and what was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.near import nearest
from ruleng.lang.parse.recover import ITEM_WORDS, KEYS
from ruleng.lang.source import Source, Span

TRANSFORMERS = ("tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt", "val")
OPERATORS = (
    *(
        "exists",
        "=",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "contains",
        "icontains",
        "bcontains",
        "startswith",
        "bstartswith",
        "endswith",
    ),
    *("glob", "iglob", "regex", "in", "intersects", "pmatch"),
)
_MODIFIERS = ("oneof", "anyof", "allof")
_WORD_OPERATOR = re.compile(r"(?:i?glob|[bi]?contains|b?startswith|endswith|regex)")

LATER = frozenset({"threshold", "sequence"})
"""Keys of rules that correlate events, which the language keeps for later."""

_ELSEWHERE = {
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

_FOUND = re.compile(r""""[^"\n]*"|'[^'\n]*'|[\w.*/+-]+|[=!<>&|~]+|.""", re.DOTALL)
_COLON = re.compile(r"[ \t]*:")
_BARE = re.compile(r"""[^()"'\s]*""")


@dataclass(frozen=True, slots=True)
class Word:
    """A token, free of Lark: `kind` is its terminal."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A place where a text cannot be read on."""

    source: Source
    offset: int  # where what cannot stand here begins; the text's length at its end
    wanted: frozenset[str]  # terminals that could, without the underscore that some have
    last: Word | None  # the words before
    before: Word | None
    opened: tuple[Word, ...]  # brackets not closed so far

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    @property
    def found(self) -> str:
        """The word that cannot stand here; empty at the end."""
        match = _FOUND.match(self.source.text, self.offset)
        return match[0] if match else ""

    @property
    def here(self) -> Span:
        return self.span(self.offset, self.offset + len(self.found))

    @property
    def touching(self) -> Word | None:
        """The last word where no blank stands between."""
        return self.last if self.last and self.last.end == self.offset else None

    def wants(self, *kinds: str) -> bool:
        return self.wanted.issuperset(kinds)

    def of(self, word: Word) -> Span:
        return self.span(word.start, word.end)


def explain(trouble: Trouble) -> Diagnostic:
    """The mistake that this most likely is."""
    for guess in _AT_END if not trouble.found else _GUESSES:
        mistake = guess(trouble)
        if mistake is not None:
            return mistake
    return syntax.unexpected(trouble.here, _phrase(trouble))


def odd_character(span: Span) -> Diagnostic:
    """About a span of one such character."""
    name, right = _ODD[span.text]
    return syntax.odd_character(span, name, right)


def ends_before_last(trouble: Trouble) -> bool:
    """Whether the last word was taken for a value or a macro's name, but begins the next item or key: `macro a: b.c =`."""
    last = trouble.last
    if last is None or last.kind not in {"BARE", "IDENT", "WORD"} or not _begins_line(trouble.source.text, last.start):
        return False
    is_key = last.text.removesuffix(":") in KEYS and (last.text[-1] == ":" or trouble.found == ":")
    return is_key or (last.text in ITEM_WORDS and trouble.found[:1] not in {"", ")", "="})


def item_ends_early(trouble: Trouble) -> Diagnostic:
    """What to say of it."""
    before = trouble.before or trouble.last
    if before is None:
        return explain(trouble)
    wanted = {"TEXT_OP": "a value", "LIST_OP": "a list in parentheses"}.get(before.kind, "a field, a macro's name, `not` or `(`")
    return syntax.ends_early(trouble.of(before), before.text, wanted)


# --- what was wanted, in words ----------------------------------------------------------------------------------------

_PHRASES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"FIELD", "IDENT", "LPAR"}), "a field, a macro's name, `not` or `(`"),
    (frozenset({"EXISTS", "TEXT_OP"}), "an operator"),
    (frozenset({"TEXT_OP", "LIST_OP"}), "an operator"),
    (frozenset({"BARE"}), "a value"),
    (frozenset({"WORD"}), "a word or a text in quotes"),
    (frozenset({"NUMBER"}), "a number"),
    (frozenset({"LPAR", "IDENT"}), "a list in parentheses"),
    (frozenset({"FIELD"}), "a field"),
    (frozenset({"AND", "AND_OPEN", "OR", "OR_OPEN"}), "`and` or `or`"),
    (frozenset({"OR", "OR_OPEN"}), "`or`"),
    (frozenset({"TEXT_KEY"}), "a key of the rule"),
    (frozenset({"RULE", "LIST"}), "an item"),
    (frozenset({"LIST"}), "`list`, `macro` or `rule`"),
    (frozenset({"NAME"}), "a name"),
    (frozenset({"QUOTED"}), "a text in quotes"),
    (frozenset({"FLAG"}), "`true` or `false`"),
    (frozenset({"COUNT"}), "a whole number"),
    (frozenset({"DURATION"}), "a time such as `30s` (ms, s, m, h, d)"),
    (frozenset({"PER"}), "`per`"),
    (frozenset({"IN"}), "`in`"),
    (frozenset({"COLON"}), "`:`"),
    (frozenset({"LBRACE"}), "`{`"),
    (frozenset({"LBRACKET"}), "`[`"),
    (frozenset({"LPAR"}), "`(`"),
    (frozenset({"COMMA"}), "`,`"),
    (frozenset({"RPAR"}), "`)`"),
    (frozenset({"RBRACKET"}), "`]`"),
    (frozenset({"RBRACE"}), "`}`"),
)
"""Terminals and what people call them. A row holds where all of them are wanted; it then answers for them."""


def _phrase(trouble: Trouble) -> str:
    left = trouble.wanted
    words = []
    for terminals, words_for_them in _PHRASES:
        if terminals <= left:
            words.append(words_for_them)
            left -= terminals
    if not words:
        return "the end"
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


# --- guesses at the end of a text -------------------------------------------------------------------------------------


def _nothing_at_all(trouble: Trouble) -> Diagnostic | None:
    return None if trouble.last else syntax.empty_condition(trouble.span(0, len(trouble.source.text)))


def _rule_open_at_end(trouble: Trouble) -> Diagnostic | None:
    return _block_open(trouble, trouble.span(len(trouble.source.text), len(trouble.source.text))) if _braces(trouble) else None


def _closable_at_end(trouble: Trouble) -> Diagnostic | None:
    if trouble.opened and trouble.wanted & {"RPAR", "RBRACKET"}:
        return syntax.never_closed(trouble.of(trouble.opened[-1]))
    return None


def _ends_early(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    return syntax.ends_early(trouble.of(last), last.text, _phrase(trouble)) if last else None


# --- guesses about conditions -----------------------------------------------------------------------------------------


def _odd(trouble: Trouble) -> Diagnostic | None:
    return odd_character(trouble.span(trouble.offset, trouble.offset + 1)) if ODD.match(trouble.found) else None


def _open_quote(trouble: Trouble) -> Diagnostic | None:
    quote = trouble.found[0]
    if quote not in "\"'" or not trouble.wants("QUOTED"):
        return None
    backslash = len(trouble.found) > 1 and trouble.found.endswith("\\" + quote)
    return syntax.text_not_closed(trouble.span(trouble.offset, trouble.offset + 1), quote, backslash)


def _and_at_end(trouble: Trouble) -> Diagnostic | None:
    """`and` without a blank behind it is not the grammar's `and`."""
    if trouble.found not in {"and", "or"} or trouble.found.upper() not in trouble.wanted:
        return None
    if trouble.offset + len(trouble.found) == len(trouble.source.text):
        return syntax.ends_early(trouble.here, trouble.found, "a field, a macro's name, `not` or `(`")
    end = trouble.here.end
    if ODD.match(trouble.source.text, end):
        return odd_character(trouble.span(end, end + 1))
    return syntax.blank_wanted(trouble.here)


def _joined_words(trouble: Trouble) -> Diagnostic | None:
    """`andnot x`"""
    for word in ("and", "or"):
        if word.upper() in trouble.wanted and trouble.found in {word + "not", word + "or", word + "and"}:
            return syntax.blank_wanted(trouble.span(trouble.offset, trouble.offset + len(word)))
    return None


def _argument(trouble: Trouble) -> Diagnostic | None:
    last = trouble.touching
    if last is None or trouble.found[0] != "[":
        return None
    if last.kind == "FIELD" or last.kind in {"RPAR", "RPAR_ARG"}:
        line_end = re.compile(r"[^\n\]]*\]?").match(trouble.source.text, trouble.offset)
        end = line_end.end() if line_end else trouble.offset + 1
        return syntax.bad_argument(trouble.span(trouble.offset, end), last.text if last.kind == "FIELD" else "f(...)")
    return None


def _call(trouble: Trouble) -> Diagnostic | None:
    """`lower(proc.name)`, `tolower (proc.name)`"""
    last = trouble.last
    if last is None or trouble.found != "(" or last.kind not in {"IDENT", "BARE"}:
        return None
    if trouble.touching:
        if last.text in _MODIFIERS:
            return syntax.blank_wanted(trouble.of(last))
        if last.text == "val":
            return syntax.unexpected(trouble.of(last), "a field", "`val(...)` stands on the right side only")
        return syntax.unknown_transformer(trouble.of(last), TRANSFORMERS)
    if last.text.lower() in _MODIFIERS:
        return _modifier(trouble, last)
    return syntax.blank_before_parenthesis(trouble.here, last.text) if last.text in TRANSFORMERS else None


def _modifier(trouble: Trouble, last: Word) -> Diagnostic:
    """`==oneof (a)`, `= ONEOF (a)`, `in oneof (a)`: taken for a value."""
    if last.kind == "IDENT":
        help = f"`{last.text.lower()}` goes with `=`, `contains` and the like"
        return syntax.unexpected(trouble.of(last), "a list in parentheses", help)
    if last.text not in _MODIFIERS:
        return syntax.written_otherwise(trouble.of(last), last.text.lower())
    return syntax.blank_wanted(trouble.of(trouble.before or last))


def _without_left_side(trouble: Trouble) -> Diagnostic | None:
    """`and a`: the first word was taken for a macro."""
    last = trouble.last
    if last and last.kind == "IDENT" and last.text in {"and", "or"} and not trouble.touching:
        return syntax.joins_nothing(trouble.of(last))
    return None


def _operator_of_two(trouble: Trouble) -> Diagnostic | None:
    """`a.b => 5` was read as `=` and the value `>`; `<>` as `<` and something that is no number."""
    last, before = trouble.last, trouble.before
    if last and before and before.end == last.start and last.kind == "BARE" and before.kind == "TEXT_OP":
        written = before.text + last.text
        if written in _ELSEWHERE:
            return syntax.written_otherwise(trouble.span(before.start, last.end), _ELSEWHERE[written])
    if trouble.touching and trouble.touching.kind in {"NUMBER_OP", "TEXT_OP"}:
        written = trouble.touching.text + trouble.found
        if written in _ELSEWHERE:
            return syntax.written_otherwise(trouble.span(trouble.touching.start, trouble.here.end), _ELSEWHERE[written])
    return None


def _operator_by_prefix(trouble: Trouble) -> Diagnostic | None:
    """`a.b includes x` was read as `in` and the list `cludes`."""
    last, before = trouble.last, trouble.before
    if last and before and before.end == last.start and last.kind == "IDENT" and before.kind == "LIST_OP":
        return _wrong_operator(trouble, trouble.span(before.start, last.end))
    return None


def _operator(trouble: Trouble) -> Diagnostic | None:
    """Another word where an operator was wanted."""
    if not trouble.wants("TEXT_OP", "LIST_OP"):
        return None
    if trouble.found[0] in "()[]{},\"':" or trouble.found.lower() in {"and", "or"}:
        return None
    if trouble.found == "!":
        word = _FOUND.match(trouble.source.text, trouble.here.end)
        return _wrong_operator(trouble, trouble.span(trouble.offset, word.end() if word else trouble.here.end))
    if trouble.found == "not":
        return syntax.unknown_operator(trouble.here, (), "`not` stands before the field: `not proc.name in (...)`")
    known = _WORD_OPERATOR.match(trouble.found)
    if known and known[0] == trouble.found and trouble.wants("EXISTS"):
        return syntax.blank_wanted(trouble.here)
    return _wrong_operator(trouble, trouble.here)


def _wrong_operator(trouble: Trouble, span: Span) -> Diagnostic:
    word = span.text.lower()
    right = _ELSEWHERE.get(word) or (word if word in OPERATORS else None)
    if right is None and word.replace("_", "") in OPERATORS:
        right = word.replace("_", "")
    if right is None and word[0] == "!" and word[1:] in OPERATORS:
        return syntax.unknown_operator(span, (), f"write `not` before the field and `{word[1:]}` here")
    return syntax.written_otherwise(span, right) if right else syntax.unknown_operator(span, OPERATORS)


def _joining(trouble: Trouble) -> Diagnostic | None:
    """`&&`, `||`, `AND`, and `!` or `NOT` where a check was wanted."""
    if trouble.wants("AND") or trouble.wants("OR"):
        words = {"and", "or"}
    elif trouble.wants("IDENT", "FIELD"):
        words = {"not"}
    else:
        return None
    right = _ELSEWHERE.get(trouble.found, trouble.found.lower())
    if right in words and right != trouble.found:
        return syntax.written_otherwise(trouble.here, right)
    return None


def _capital_not(trouble: Trouble) -> Diagnostic | None:
    """`NOT a`: the first word was taken for a macro."""
    last = trouble.last
    if last and last.kind == "IDENT" and last.text in {"NOT", "Not"} and not trouble.touching:
        return syntax.written_otherwise(trouble.of(last), "not")
    return None


def _joined_to_value(trouble: Trouble) -> Diagnostic | None:
    """`a.b = c&& d`: the value went on up to the blank."""
    last = trouble.last
    if last and last.kind == "BARE" and last.text.endswith(("&&", "||")):
        return syntax.written_otherwise(trouble.span(last.end - 2, last.end), _ELSEWHERE[last.text[-2:]])
    return None


def _only_or(trouble: Trouble) -> Diagnostic | None:
    if trouble.found == "and" and trouble.wants("OR") and not trouble.wants("AND"):
        return syntax.only_or_after_or(trouble.here)
    return None


def _unquoted(trouble: Trouble) -> Diagnostic | None:
    """`a.b = x=y`"""
    last = trouble.touching
    if last is None or last.kind != "BARE" or trouble.found[0] not in "=,\"'(":
        return None
    rest = _BARE.match(trouble.source.text, trouble.offset)
    end = rest.end() if rest else trouble.offset
    return syntax.needs_quotes(trouble.span(last.start, max(end, trouble.offset + 1)), trouble.found[0])


def _one_value(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    if last and trouble.found == "(" and last.kind in {"TEXT_OP", "NUMBER_OP"}:
        return syntax.one_value_wanted(trouble.here, last.text, modifiable=last.kind == "TEXT_OP")
    return None


def _list(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    if last and last.kind in {"LIST_OP", "MODIFIER"} and trouble.wants("LPAR") and trouble.found[0] not in ")=,{}[]":
        return syntax.list_wanted(trouble.here, last.text)
    return None


def _number(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    if last and last.kind == "NUMBER_OP" and trouble.found[0] not in "()":
        return syntax.number_wanted(trouble.here, last.text)
    if last and last.kind == "NUMBER" and trouble.touching and trouble.found[0].isalnum():
        return syntax.number_with_unit(trouble.span(last.start, trouble.here.end))
    return None


def _closing(trouble: Trouble) -> Diagnostic | None:
    if trouble.found == ")" and not any(word.kind != "LBRACE" for word in trouble.opened):
        return syntax.closes_nothing(trouble.here)
    return None


def _macro_compared(trouble: Trouble) -> Diagnostic | None:
    """`type = execve`"""
    last = trouble.last
    if last and last.kind == "IDENT" and (trouble.found in OPERATORS or trouble.found in _ELSEWHERE) and trouble.wants("AND"):
        help = f"`{last.text}` is read as a macro's name: a field's name has a dot, as `proc.name`"
        return syntax.unexpected(trouble.here, _phrase(trouble), help)
    return None


def _value_on_the_left(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("IDENT", "FIELD", "LPAR") and trouble.found[0] in "\"'0123456789":
        return syntax.unexpected(trouble.here, _phrase(trouble), "the field stands on the left, the value on the right")
    return None


def _negated_without_join(trouble: Trouble) -> Diagnostic | None:
    if trouble.found == "not" and trouble.wants("AND"):
        return syntax.unexpected(trouble.here, _phrase(trouble), "did you mean `and not`?")
    return None


def _comma(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("COMMA", "RPAR") and (trouble.found in OPERATORS or trouble.found in {"[", "{", "}"}):
        return syntax.never_closed(trouble.of(trouble.opened[-1]), f"wanted `)` before {syntax.shown(trouble.found)}")
    if trouble.found in {")", "]"} and trouble.last and trouble.last.kind == "_COMMA":
        return syntax.unexpected(trouble.here, _phrase(trouble), "leave out the comma before it")
    if trouble.wants("COMMA") and trouble.found[0] not in ")]}":
        return syntax.unexpected(trouble.here, _phrase(trouble), "items of a list have commas between them")
    return None


# --- guesses about files ----------------------------------------------------------------------------------------------


def _braces(trouble: Trouble) -> list[Word]:
    return [word for word in trouble.opened if word.kind == "LBRACE"]


def _block_open(trouble: Trouble, before: Span) -> Diagnostic:
    last = trouble.last
    help = None
    if last and last.kind in {"BARE", "IDENT"} and last.text.endswith("}"):
        help = f"{syntax.shown(last.text)} is read as one word: put a blank before `}}`"
    return syntax.block_not_closed(trouble.of(_braces(trouble)[-1]), before, help)


def _key_follows(trouble: Trouble) -> bool:
    return _COLON.match(trouble.source.text, trouble.here.end) is not None


def _begins_line(text: str, offset: int) -> bool:
    return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()


def _item_in_block(trouble: Trouble) -> Diagnostic | None:
    """The next item begins though a rule is open."""
    at_line = _begins_line(trouble.source.text, trouble.offset)
    if trouble.found in ITEM_WORDS and _braces(trouble) and at_line and not _key_follows(trouble):
        return _block_open(trouble, trouble.here)
    return None


def _parenthesis_in_rule(trouble: Trouble) -> Diagnostic | None:
    """The next key or item begins though a parenthesis is open."""
    ends = trouble.found == "}" or (trouble.found in KEYS and _key_follows(trouble))
    ends = ends or (trouble.found in ITEM_WORDS and _begins_line(trouble.source.text, trouble.offset))
    if ends and trouble.wants("RPAR") and trouble.opened and trouble.opened[-1].text.endswith("("):
        return syntax.never_closed(trouble.of(trouble.opened[-1]))
    return None


def _key_in_exceptions(trouble: Trouble) -> Diagnostic | None:
    """`output: "..."` where the exceptions before are still open."""
    last, before = trouble.last, trouble.before
    if last and before and last.kind == "COLON" and before.text in KEYS and len(_braces(trouble)) > 1:
        return _block_open(trouble, trouble.of(before))
    return None


def _key(trouble: Trouble) -> Diagnostic | None:
    if not trouble.wants("TEXT_KEY"):
        return None
    if trouble.found in LATER:
        return syntax.not_available_yet(trouble.here)
    if not trouble.found[0].isalpha():
        return None
    if trouble.found in KEYS and not _key_follows(trouble) and not trouble.wants("AND"):
        return syntax.colon_wanted(trouble.here)
    if _key_follows(trouble) or not trouble.wants("AND"):
        return syntax.unknown_key(trouble.here, KEYS)
    return None


def _item(trouble: Trouble) -> Diagnostic | None:
    if not trouble.wants("RULE", "LIST", "IMPORT"):
        return None
    text = trouble.source.text
    if re.compile(r"-[ \t]+(?:rule|macro|list|required_\w+)[ \t]*:").match(text, trouble.offset):
        return syntax.falco_yaml(trouble.here)
    if trouble.found in {"}", ")", "]"}:
        return syntax.closes_nothing(trouble.here)
    if trouble.found in KEYS and _key_follows(trouble):
        return syntax.key_outside_rule(trouble.here)
    if not trouble.wants("AND") or (_begins_line(text, trouble.offset) and nearest(trouble.found, ITEM_WORDS)):
        return syntax.unknown_item(trouble.here, ITEM_WORDS)
    return None


def _appended(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    if last and last.kind in {"CONDITION", "COLON"} and trouble.wants("AND"):
        return syntax.appended_without_join(trouble.here)
    return None


def _unquoted_text(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("QUOTED") and not trouble.wanted & {"BARE", "WORD", "FIELD"} and trouble.found[0].isalnum():
        return syntax.unexpected(trouble.here, _phrase(trouble), "names of rules and texts stand in quotes")
    return None


def _parenthesised(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("LBRACKET") and not trouble.wants("FIELD"):
        return syntax.unexpected(trouble.here, _phrase(trouble), "lists of items stand in brackets: `[a, b]`")
    return None


_Guess = Callable[[Trouble], Diagnostic | None]

_AT_END: tuple[_Guess, ...] = (_nothing_at_all, _closable_at_end, _rule_open_at_end, _without_left_side, _ends_early)

_GUESSES: tuple[_Guess, ...] = (
    _odd,
    _open_quote,
    _parenthesis_in_rule,
    _item_in_block,
    _key_in_exceptions,
    _and_at_end,
    _joined_words,
    _appended,
    _argument,
    _call,
    _without_left_side,
    _capital_not,
    _operator_of_two,
    _operator_by_prefix,
    _operator,
    _only_or,
    _joining,
    _joined_to_value,
    _unquoted,
    _one_value,
    _list,
    _number,
    _macro_compared,
    _value_on_the_left,
    _negated_without_join,
    _key,
    _item,
    _closing,
    _unquoted_text,
    _parenthesised,
    _comma,
)
