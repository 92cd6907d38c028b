"""Folding of trees of any depth: rule files may nest conditions a thousand deep, and Python's stack may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Node = TypeVar("Node")
Result = TypeVar("Result")


def fold(root: Node, children: Callable[[Node], Sequence[Node]], combine: Callable[[Node, list[Result]], Result]) -> Result:
    """The result of `root`, where `combine(node, results of its children)` is that of a node. Left to right, without recursion."""
    order: list[tuple[Node, int]] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        below = children(node)
        order.append((node, len(below)))
        waiting.extend(below)
    results: list[Result] = []
    for node, count in reversed(order):
        first = len(results) - count
        below_results = results[first:]
        del results[first:]
        results.append(combine(node, below_results))
    return results[0]
