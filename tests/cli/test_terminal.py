"""What a person at a terminal sees: progress of long replays, alerts as text, and no leftovers of the one in the other."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from ruleng.cli.console import Console
from tests.bench.auditlog import lines
from tests.cli.terminal import on_a_terminal, rendered


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_share_events_rate_and_time_left() -> None:
    screen, watch = Screen(), Watch()
    console = Console(screen, watch)
    console.progress(0, 0, 1000)
    watch.now += 10
    console.progress(5000, 250, 1000)
    assert screen.getvalue() == "\r\x1b[K 25.0 %  5,000 events  500/s  0:30 left\r"


def test_progress_is_shown_at_most_five_times_a_second() -> None:
    screen, watch = Screen(), Watch()
    console = Console(screen, watch)
    for number in range(100):
        console.progress(number, number, 1000)
        watch.now += 0.01
    assert screen.getvalue().count("left") == 4


def test_a_line_for_the_person_takes_the_place_of_the_progress() -> None:
    screen, watch = Screen(), Watch()
    console = Console(screen, watch)
    console.progress(0, 0, 10)
    watch.now += 1
    console.progress(1, 5, 10)
    console.say("sink works again")
    assert screen.getvalue().endswith("left\r\r\x1b[Kruleng: sink works again\n")
    console.clear()
    assert screen.getvalue().endswith("works again\n")


@pytest.mark.parametrize(("seconds", "shown"), [(5, "0:05"), (3599, "59:59"), (7265, "2:01:05")])
def test_time_left_is_hours_minutes_and_seconds(seconds: int, shown: str) -> None:
    screen, watch = Screen(), Watch()
    console = Console(screen, watch)
    console.progress(0, 0, 1)
    watch.now += seconds
    console.progress(1, 1, 2)
    assert f"  {shown} left" in screen.getvalue()


def test_a_pipe_gets_no_progress() -> None:
    pipe, watch = io.StringIO(), Watch()
    console = Console(pipe, watch)
    console.progress(0, 0, 10)
    watch.now += 1
    console.progress(1, 5, 10)
    assert pipe.getvalue() == ""


def test_a_long_replay_shows_how_far_it_is_and_leaves_alerts_whole(tmp_path: Path, rules: Path) -> None:
    log = tmp_path / "long.log"
    log.write_text("".join(lines(150_000)))
    rules.write_text(
        'rule "Connects" { desc: "" condition: evt.type = connect output: "%proc.name to %fd.name" priority: notice }\n'
        'rule "Never" { desc: "" condition: evt.type != connect and proc.pid = 0 output: "" priority: notice }\n'
    )
    seen = on_a_terminal("replay", "-r", rules, log, NO_COLOR="1")
    assert re.search(r"\r\x1b\[K +[0-9]+\.[0-9] %  [0-9,]+ events  [0-9,]+/s  [0-9]+:[0-9]{2} left\r", seen)
    screen = rendered(seen)
    alerts = [line for line in screen if "Connects" in line and " to " in line]
    assert len(alerts) > 100
    assert not [line for line in alerts if "left" in line or "events" in line]
    assert any(re.fullmatch(r"[0-9,]+ events in [0-9.]+ s, [0-9,]+ events/s", line) for line in screen)
