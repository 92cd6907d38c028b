"""Names of lists that no condition can hold, such as `test list`.

Falco replaces names of lists in the text, so in its files such a name works all the same. Here its odd characters are hidden
before the text is read, each behind one character, so that places stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ruleng.lang.ast import Check, Expr, ListLit, Literal
from ruleng.lang.source import Source
from ruleng.lang.trees import Leaf, map_leaves

_HIDDEN = "\ue000"  # of Unicode's private use area
_ODD = re.compile(r"""[()"'\s=,]""")
_EDGE = r"[^ \t\n\r(),=]"  # what Falco does not take as the border of a name


class OddNames:
    """Hides the odd ones of some names in texts, and shows them again in trees."""

    def __init__(self, names: Iterable[str]) -> None:
        self._shown = {_ODD.sub(_HIDDEN, name): name for name in names if _ODD.search(name)}
        pattern = "|".join(re.escape(name) for name in sorted(self._shown.values(), key=len, reverse=True))
        self._names = re.compile(f"(?<!{_EDGE})(?:{pattern})(?!{_EDGE})") if pattern else None

    def hidden(self, source: Source) -> Source:
        """The same source when it has none of the names."""
        if self._names is None:
            return source
        text = self._names.sub(lambda match: _ODD.sub(_HIDDEN, match[0]), source.text)
        return source if text == source.text else Source(source.name, text, source.pieces)

    def shown(self, expr: Expr) -> Expr:
        changed = map_leaves(expr, self._leaf)
        return expr if changed is None else changed

    def _leaf(self, leaf: Leaf) -> Expr:
        match leaf:
            case Check(right=ListLit(items, span)):
                return replace(leaf, right=ListLit(tuple(map(self._literal, items)), span))
            case Check(right=Literal() as literal):
                return replace(leaf, right=self._literal(literal))
            case _:
                return leaf

    def _literal(self, literal: Literal) -> Literal:
        name = self._shown.get(literal.text)
        return literal if name is None else replace(literal, text=name)
