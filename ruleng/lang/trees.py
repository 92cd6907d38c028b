"""Walks over conditions, without recursion: a condition may nest a thousand levels deep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from ruleng.lang.ast import And, Check, Expr, Not, Or, Ref

Leaf = Ref | Check


@dataclass(frozen=True, slots=True)
class Size:
    """How many checks a condition has, and how many levels."""

    checks: int
    levels: int


def leaves(expr: Expr) -> Iterator[Leaf]:
    """Macros' names and checks, from left to right."""
    work: list[Expr] = [expr]
    while work:
        node = work.pop()
        match node:
            case And() | Or():
                work.extend(reversed(node.children))
            case Not():
                work.append(node.child)
            case Ref() | Check():
                yield node
            case _:
                assert_never(node)


def map_leaves(expr: Expr, change: Callable[[Leaf], Expr | None]) -> Expr | None:
    """The tree with each leaf changed; None when one gave None, after all were asked."""
    done: list[Expr | None] = []
    work: list[tuple[Expr, bool]] = [(expr, False)]
    while work:
        node, visited = work.pop()
        match node:
            case And() | Or():
                if not visited:
                    work.append((node, True))
                    work.extend((child, False) for child in reversed(node.children))
                    continue
                first = len(done) - len(node.children)
                children = tuple(child for child in done[first:] if child is not None)
                del done[first:]
                done.append(type(node)(children, node.span) if len(children) == len(node.children) else None)
            case Not():
                if not visited:
                    work += [(node, True), (node.child, False)]
                    continue
                child = done.pop()
                done.append(None if child is None else Not(child, node.span))
            case Ref() | Check():
                done.append(change(node))
            case _:
                assert_never(node)
    return done.pop()


def size_of(expr: Expr, macros: Mapping[str, Size]) -> Size:
    """The size of a tree as it is when the macros are put in, whose sizes are given."""
    checks = levels = 0
    work: list[tuple[Expr, int]] = [(expr, 1)]
    while work:
        node, level = work.pop()
        match node:
            case And() | Or():
                work += [(child, level + 1) for child in node.children]
            case Not():
                work.append((node.child, level + 1))
            case Ref():
                size = macros.get(node.name, Size(1, 1))
                checks += size.checks
                levels = max(levels, level + size.levels - 1)
            case Check():
                checks += 1
                levels = max(levels, level)
            case _:
                assert_never(node)
    return Size(checks, levels)
