"""Why a text cannot be read on: the grammar knows which words it wants, and what people mean by others is guessed.

The first guess that fits is told; where none does, what was found and what was wanted.
"""

from __future__ import annotations

from itertools import chain

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.parse import in_conditions, in_files
from ruleng.lang.parse.recover import ITEM_WORDS, KEYS
from ruleng.lang.parse.trouble import Trouble


def explain(trouble: Trouble) -> Diagnostic:
    """The mistake that this most likely is."""
    guesses = (in_files.ANYWHERE, in_conditions.ANYWHERE) if trouble.found else (in_files.AT_END, in_conditions.AT_END)
    for guess in chain(*guesses):
        mistake = guess(trouble)
        if mistake is not None:
            return mistake
    return syntax.unexpected(trouble.here, trouble.phrase)


def ends_before_last(trouble: Trouble) -> bool:
    """Whether the last word was taken for a value or a macro's name, but begins the next item or key: `macro a: b.c =`."""
    last = trouble.last
    if last is None or last.kind not in {"BARE", "IDENT", "WORD"} or not trouble.begins_line(last.start):
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
