"""What people mean in conditions by words that the grammar does not want there: guesses, the likelier first."""

from __future__ import annotations

import re

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.parse.spelling import ELSEWHERE, MODIFIERS, ODD, OPERATORS, SPACED, TRANSFORMERS, odd_character
from ruleng.lang.parse.trouble import Guess, Trouble, Word
from ruleng.lang.source import Span

_BARE = re.compile(r"""[^()"'\s]*""")
_TO_BRACKET = re.compile(r"[^\n\]]*\]?")


def _nothing_at_all(trouble: Trouble) -> Diagnostic | None:
    return None if trouble.last else syntax.empty_condition(trouble.span(0, len(trouble.source.text)))


def _closable_at_end(trouble: Trouble) -> Diagnostic | None:
    if trouble.opened and trouble.wanted & {"RPAR", "RBRACKET"}:
        return syntax.never_closed(trouble.of(trouble.opened[-1]))
    return None


def _ends_early(trouble: Trouble) -> Diagnostic | None:
    last = trouble.last
    return syntax.ends_early(trouble.of(last), last.text, trouble.phrase) if last else None


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
        written = _TO_BRACKET.match(trouble.source.text, trouble.offset)
        end = written.end() if written else trouble.offset
        return syntax.bad_argument(trouble.span(trouble.offset, end), last.text if last.kind == "FIELD" else "f(...)")
    return None


def _call(trouble: Trouble) -> Diagnostic | None:
    """`lower(proc.name)`, `tolower (proc.name)`"""
    last = trouble.last
    if last is None or trouble.found != "(" or last.kind not in {"IDENT", "BARE"}:
        return None
    if trouble.touching:
        if last.text in MODIFIERS:
            return syntax.blank_wanted(trouble.of(last))
        if last.text == "val":
            return syntax.unexpected(trouble.of(last), "a field", "`val(...)` stands on the right side only")
        return syntax.unknown_transformer(trouble.of(last), TRANSFORMERS)
    if last.text.lower() in MODIFIERS:
        return _modifier(trouble, last)
    return syntax.blank_before_parenthesis(trouble.here, last.text) if last.text in TRANSFORMERS else None


def _modifier(trouble: Trouble, last: Word) -> Diagnostic:
    """`==oneof (a)`, `= ONEOF (a)`, `in oneof (a)`: taken for a value."""
    if last.kind == "IDENT":
        help = f"`{last.text.lower()}` goes with `=`, `contains` and the like"
        return syntax.unexpected(trouble.of(last), "a list in parentheses", help)
    if last.text not in MODIFIERS:
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
        if written in ELSEWHERE:
            return syntax.written_otherwise(trouble.span(before.start, last.end), ELSEWHERE[written])
    if trouble.touching and trouble.touching.kind in {"NUMBER_OP", "TEXT_OP"}:
        written = trouble.touching.text + trouble.found
        if written in ELSEWHERE:
            return syntax.written_otherwise(trouble.span(trouble.touching.start, trouble.here.end), ELSEWHERE[written])
    return None


def _operator_by_prefix(trouble: Trouble) -> Diagnostic | None:
    """`a.b includes x` was read as `in` and the list `cludes`."""
    last, before = trouble.last, trouble.before
    if last and before and before.end == last.start and last.kind == "IDENT" and before.kind == "LIST_OP":
        return _wrong_operator(trouble.span(before.start, last.end))
    return None


def _operator(trouble: Trouble) -> Diagnostic | None:
    """Another word where an operator was wanted."""
    if not trouble.wants("TEXT_OP", "LIST_OP"):
        return None
    if trouble.found[0] in "()[]{},\"':" or trouble.found.lower() in {"and", "or"}:
        return None
    if trouble.found == "!":
        return _wrong_operator(trouble.span(trouble.offset, trouble.here.end + len(trouble.word_at(trouble.here.end))))
    if trouble.found == "not":
        return syntax.unknown_operator(trouble.here, (), "`not` stands before the field: `not proc.name in (...)`")
    if trouble.found in SPACED and trouble.wants("EXISTS"):
        return syntax.blank_wanted(trouble.here)
    return _wrong_operator(trouble.here)


def _wrong_operator(span: Span) -> Diagnostic:
    word = span.text.lower()
    right = ELSEWHERE.get(word) or (word if word in OPERATORS else None)
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
    right = ELSEWHERE.get(trouble.found, trouble.found.lower())
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
        return syntax.written_otherwise(trouble.span(last.end - 2, last.end), ELSEWHERE[last.text[-2:]])
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
    if last and last.kind == "IDENT" and (trouble.found in OPERATORS or trouble.found in ELSEWHERE) and trouble.wants("AND"):
        help = f"`{last.text}` is read as a macro's name: a field's name has a dot, as `proc.name`"
        return syntax.unexpected(trouble.here, trouble.phrase, help)
    return None


def _value_on_the_left(trouble: Trouble) -> Diagnostic | None:
    if trouble.wants("IDENT", "FIELD", "LPAR") and trouble.found[0] in "\"'0123456789":
        return syntax.unexpected(trouble.here, trouble.phrase, "the field stands on the left, the value on the right")
    return None


def _negated_without_join(trouble: Trouble) -> Diagnostic | None:
    if trouble.found == "not" and trouble.wants("AND"):
        return syntax.unexpected(trouble.here, trouble.phrase, "did you mean `and not`?")
    return None


def _comma(trouble: Trouble) -> Diagnostic | None:
    if trouble.opened and trouble.wants("COMMA", "RPAR") and (trouble.found in OPERATORS or trouble.found in {"[", "{", "}"}):
        return syntax.never_closed(trouble.of(trouble.opened[-1]), f"wanted `)` before {syntax.shown(trouble.found)}")
    if trouble.found in {")", "]"} and trouble.last and trouble.last.kind == "_COMMA":
        return syntax.unexpected(trouble.here, trouble.phrase, "leave out the comma before it")
    if trouble.wants("COMMA") and trouble.found[0] not in ")]}":
        return syntax.unexpected(trouble.here, trouble.phrase, "items of a list have commas between them")
    return None


AT_END: tuple[Guess, ...] = (_nothing_at_all, _closable_at_end, _without_left_side, _ends_early)

ANYWHERE: tuple[Guess, ...] = (
    _odd,
    _open_quote,
    _and_at_end,
    _joined_words,
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
    _closing,
    _comma,
)
