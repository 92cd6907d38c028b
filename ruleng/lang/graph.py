"""Orders names so that each comes after what it is made of: lists of lists, macros of macros, files of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

SHOWN = 10
"""As many names of a circle are shown to its author."""


def ordered(names: Iterable[str], uses: Callable[[str], Iterable[str]]) -> tuple[list[str], dict[tuple[str, str], list[str]]]:
    """The names, each after all that it uses, and the uses that close a circle, each with the names on it.

    Depth first without recursion; linear in names and uses.
    """
    order: list[str] = []
    circles: dict[tuple[str, str], list[str]] = {}
    done: set[str] = set()
    for root in names:
        if root in done:
            continue
        path = [root]
        place = {root: 0}
        left = [iter(uses(root))]
        while path:
            for name in left[-1]:
                if name in place:
                    circles[path[-1], name] = [*path[place[name] :][: SHOWN - 1], name]
                elif name not in done:
                    place[name] = len(path)
                    path.append(name)
                    left.append(iter(uses(name)))
                    break
            else:
                left.pop()
                finished = path.pop()
                del place[finished]
                done.add(finished)
                order.append(finished)
    return order, circles
