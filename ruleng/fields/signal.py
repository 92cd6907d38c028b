"""A signal on its way, with both its ends (`signal`)."""

from __future__ import annotations

from ruleng.fields.filled import ANY, TRACED
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

TYPES = frozenset(
    {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "signal_generate", "signal_deliver"}
)
"""The events that carry a signal."""


def _end(which: str, whose: str) -> tuple[Field, ...]:
    stem, read = f"signal.{which}", f"e.signal and e.signal.{which}"
    rows = (
        ("pid", T.INT64, "Process id", "pid"),
        ("name", T.STRING, "Name", "name"),
        ("exepath", T.STRING, "Path of the executable", "exepath"),
        ("cmdline", T.STRING, "Command line", "cmdline"),
        ("uid", T.UINT32, "User id", "uid"),
        ("container.id", T.STRING, "Container id", "container.id"),
    )
    return tuple(
        Field(
            name=f"{stem}.{name}",
            type=type,
            doc=f"{doc} of the process that {whose} the signal.",
            read=f"{read}.{attribute}",
            cost=4,
            event_types=TYPES,
            sources=ANY,
            falco=False,
        )
        for name, type, doc, attribute in rows
    )


# fmt: off
FIELDS = (
    Field(
        name="signal.number", type=T.INT32, doc="Number of the signal, see signal(7).", read="e.signal and e.signal.number",
        cost=2, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="signal.name", type=T.STRING, doc="Name of the signal: SIGKILL.", read="e.signal and signal_name(e.signal.number)",
        cost=5, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="signal.code", type=T.INT32, doc="Why it was sent, si_code of sigaction(2).", read="e.signal and e.signal.code",
        cost=3, event_types=TYPES, sources=TRACED, falco=False,
    ),
    Field(
        name="signal.handler", type=T.STRING, doc="What the target does with it: default, ignored, caught.",
        read="e.signal and e.signal.handler", cost=3, event_types=TYPES, sources=TRACED, falco=False,
    ),
    Field(
        name="signal.pending", type=T.STRING, is_list=True, doc="Signals that wait at the target, by name.",
        read="e.signal and e.signal.pending", cost=3, event_types=TYPES, sources=TRACED, falco=False,
    ),
    *_end("sender", "sends"),
    *_end("target", "gets"),
)
# fmt: on
