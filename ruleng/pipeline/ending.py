"""What is told, and which exit status is due, when a run has ended."""

from __future__ import annotations

from collections import Counter

from ruleng.metrics import RunStats, summary
from ruleng.pipeline.channel import SinkHub
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.voice import Voice

_UNREADABLE = ("audit.parse", "replay")  # places of losses that are somebody's broken input, not an incomplete recording
_UNDELIVERED = "sink."


def sum_up(stats: RunStats, evaluator: Evaluator, hub: SinkHub, voice: Voice, *, quiet: bool) -> None:
    """Call it when sinks are closed. `quiet` leaves out everything but losses."""
    stats.sinks = hub.counters()
    stats.suppressed = Counter(evaluator.suppressed)
    if quiet:
        say_losses(stats, voice)
    else:
        voice.tell(summary(stats))


def say_losses(stats: RunStats, voice: Voice) -> None:
    """A line for each, where no summary shows them."""
    for loss in stats.ledger.losses():
        first = f" (first: {loss.sample})" if loss.sample else ""
        voice.say(f"{loss.where}: {loss.reason}: {loss.count:,}{first}")


def is_sound(stats: RunStats) -> bool:
    """Whether all input was read and all alerts were delivered."""
    return not any(loss.where in _UNREADABLE or loss.where.startswith(_UNDELIVERED) for loss in stats.ledger.losses())
