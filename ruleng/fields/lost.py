"""What `ruleng.lost` says: that events were lost, how many, where and why (`evt.lost`)."""

from __future__ import annotations

from ruleng.fields.filled import OURS
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

TYPE = "ruleng.lost"
_TYPES = frozenset({TYPE})


def _read(parameter: str) -> str:
    return f'e.args.get("{parameter}") if e.type == "{TYPE}" else None'


# fmt: off
FIELDS = (
    Field(
        name="evt.lost.count", type=T.UINT64, doc="How many events or records.", read=_read("count"), cost=3,
        event_types=_TYPES, sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.where", type=T.STRING,
        doc="The queue, parser or table that lost them: audit.kernel, queue.alerts, state.processes.", read=_read("where"),
        cost=3, event_types=_TYPES, sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.reason", type=T.STRING, doc="Why, in one line.", read=_read("reason"), cost=3, event_types=_TYPES,
        sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.source", type=T.STRING, doc="The ruleng source that they came from.", read=_read("source"), cost=3,
        event_types=_TYPES, sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.sample", type=T.STRING, doc="Where it was first seen: FILE:LINE, a CPU, a sink.", read=_read("sample"),
        cost=3, event_types=_TYPES, sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.types", type=T.STRING, is_list=True, doc="Event types that may be missing; empty: any.",
        read=_read("types"), cost=3, event_types=_TYPES, sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.first", type=T.ABSTIME, doc="Time of the first loss.", unit="ns", read=_read("first"), cost=3,
        event_types=_TYPES, sources=OURS, falco=False,
    ),
    Field(
        name="evt.lost.last", type=T.ABSTIME, doc="Time of the last loss.", unit="ns", read=_read("last"), cost=3,
        event_types=_TYPES, sources=OURS, falco=False,
    ),
)
# fmt: on
