"""Settings -> where alerts go: the sinks behind their hub."""

from __future__ import annotations

from collections.abc import Iterator

from ruleng.errors import UsageError
from ruleng.pipeline.channel import Limits, Report, SinkHub
from ruleng.pipeline.settings import Settings
from ruleng.ports import Clock, Ledger
from ruleng.sinks.spec import SinkSpec, name_apart, open_sink, parse_spec
from ruleng.sinks.tools import Tools

DEFAULT_SINK = "stdout"
REPLAY_DEADLINE_S = 60.0
"""A replay waits longer for its sinks than a live run: no kernel stands behind it that would lose events meanwhile."""


def hub(settings: Settings, ledger: Ledger, clock: Clock, report: Report, *, live: bool) -> SinkHub:
    """Raises UsageError for a mistaken sink."""
    config = settings.config
    specs = name_apart(_specs(settings))
    limits = Limits(
        alerts=config.get("queue", "alerts"),
        policy=config.get("queue", "policy") if live else "block",
        deadline_s=config.duration_ns("queue", "deadline") / 1e9 if live else REPLAY_DEADLINE_S,
    )
    tools = Tools(ledger, clock, report)
    sinks = [open_sink(spec, tools) for spec in specs]
    return SinkHub(sinks, ledger, report=report, limits=limits, priorities={spec.name: spec.priority for spec in specs})


def _specs(settings: Settings) -> Iterator[SinkSpec]:
    """Those of the command line instead of those of the configuration."""
    rows = settings.config.arrays["sink"]
    if settings.sinks or not rows:
        yield from map(parse_spec, settings.sinks or (DEFAULT_SINK,))
        return
    for number, row in enumerate(rows):
        try:
            yield parse_spec(row["spec"], options=row["options"], name=row["name"], priority=row["priority"])
        except UsageError as error:
            raise settings.config.mistake("sink", "spec", error, number=number) from error
