"""Filters of a Demand, evaluated: does an event satisfy one, its fields read as rules read them."""

from __future__ import annotations

from ruleng.engine import operands
from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.lang.checked import FieldUse
from ruleng.ports import Atom, Demand, Filter


def may_match(demand: Demand, event: Event) -> bool:
    """Whether a source must hand out the event."""
    if event.type not in demand.event_types:
        return False
    wanted = demand.filters.get(event.type)
    return wanted is None or satisfies(wanted, event)


def satisfies(wanted: Filter, event: Event) -> bool:
    return any(all(_holds(atom, event) for atom in alternative) for alternative in wanted)


def _holds(atom: Atom, event: Event) -> bool:
    value = operands.value(FieldUse(standard().fields[atom.field]), event)
    if value is None:
        return atom.or_missing
    return any(first <= value <= last for first, last in atom.ranges)
