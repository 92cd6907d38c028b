"""Expressions of fields that no slot of an event holds: they lie under their own name in `Event.extra` or `Process.extra`."""

from __future__ import annotations


def of_event(name: str) -> str:
    return f"(e.extra or EMPTY).get({name!r})"


def of_process(name: str) -> str:
    return f"(p.extra or EMPTY).get({name!r})"


def event_or(name: str, expression: str) -> str:
    """What the expression makes of other fields; where these are missing, what was given for the field itself."""
    return f"given({expression}, e.extra, {name!r})"


def process_or(name: str, expression: str) -> str:
    return f"given({expression}, p.extra, {name!r})"
