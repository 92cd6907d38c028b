"""Throttles are exact within a window, bounded in memory, and survive times that jump."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ruleng.engine.throttle import Throttles
from ruleng.lang.checked import Throttle


@given(st.integers(1, 4), st.integers(1, 20), st.lists(st.integers(0, 6), max_size=60))
def test_never_more_than_the_count_in_any_period_and_none_held_back_needlessly(count, period, steps):
    throttles, rule = Throttles(), Throttle(count, period)
    now, passed, held = 0, [], 0
    for step in steps:
        now += step
        suppressed = throttles.admit("r", rule, (), now)
        recent = [time for time in passed if now - time < period]
        assert (suppressed is None) is (len(recent) == count)
        if suppressed is None:
            held += 1
        else:
            assert suppressed == held
            passed.append(now)
            held = 0


def test_keys_are_bounded_and_the_one_longest_without_an_alert_goes_first():
    throttles = Throttles(most_keys=2)
    rule = Throttle(1, 1_000)
    for key in ("a", "b", "c"):
        assert throttles.admit("r", rule, (key,), 0) == 0
    assert throttles.evicted == 1
    assert throttles.admit("r", rule, ("c",), 1) is None
    assert throttles.admit("r", rule, ("a",), 1) == 0


def test_one_event_from_the_future_silences_nothing():
    throttles, rule = Throttles(), Throttle(1, 1_000)
    assert throttles.admit("r", rule, (), 10**18) == 0
    assert throttles.admit("r", rule, (), 5_000) == 0
    assert throttles.admit("r", rule, (), 5_500) is None


def test_a_rule_whose_throttle_changed_begins_anew():
    throttles = Throttles()
    assert throttles.admit("r", Throttle(1, 1_000), (), 0) == 0
    assert throttles.admit("r", Throttle(2, 1_000), (), 0) == 0
