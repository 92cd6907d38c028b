"""Checks that Falco compiles without a word and decides wrongly. Here they work, so a Falco file is told once more what it has.

Found by running Falco's engine: the comparison of `fd.ip` with a list reads an operand of length 0, that of `fd.net` its
first network only.
"""

from __future__ import annotations

from collections.abc import Iterator

from ruleng.lang.ast import Check, Expr, FieldRef, ListLit
from ruleng.lang.checked import Op
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import falco as mistakes
from ruleng.lang.operators import canonical
from ruleng.lang.trees import leaves

_NEVER = frozenset({"fd.ip"})
_FIRST_ONLY = frozenset({"fd.net"})


def wrong_in_falco(expr: Expr) -> Iterator[Diagnostic]:
    """What of a condition Falco would decide otherwise."""
    for leaf in leaves(expr):
        match leaf:
            case Check(FieldRef(name), op, ListLit(items), modifier):
                listed = modifier is None and canonical(op) in {Op.IN, Op.INTERSECTS}
                if name in _NEVER and listed:
                    yield mistakes.never_in_falco(leaf.span, name, op)
                elif name in _FIRST_ONLY and len(items) > 1 and (listed or modifier is not None):
                    yield mistakes.first_only_in_falco(leaf.span, name)
