"""Actions on a container: a cgroup that the test makes, named as docker names one, with processes that the test starts."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ruleng.actions.freeze import cgroup2_mount, freezer_of, thaw
from ruleng.lang.checked import Action
from ruleng.state import ProcReader
from tests.actions.support import actor, event, is_dead, live_state, sleeper, wait_until

pytestmark = pytest.mark.live

MOUNT = cgroup2_mount(ProcReader())


@pytest.fixture
def cgroup() -> Iterator[Path]:
    if MOUNT is None:
        pytest.skip("no cgroups of version 2 on this host")
    directory = MOUNT / f"docker-{secrets.token_hex(32)}.scope"
    directory.mkdir()
    yield directory
    wait_until(lambda: not (directory / "cgroup.procs").read_text())
    (directory / "inner").rmdir() if (directory / "inner").exists() else None
    directory.rmdir()


def enter(cgroup: Path, *pids: int) -> None:
    for pid in pids:
        (cgroup / "cgroup.procs").write_text(str(pid))


def test_all_of_a_container_is_killed_and_nothing_beside_it(cgroup: Path) -> None:
    state = live_state()
    with sleeper() as first, sleeper() as second, sleeper() as beside:
        enter(cgroup, first, second)
        outcome = actor(state).act(Action("kill", scope="container"), event(state.processes.get(first)), "a rule")
        wait_until(lambda: is_dead(first) and is_dead(second))
        assert not is_dead(beside)
    assert (outcome.outcome, outcome.target) == ("done", f"pid {first} (sleep) and container: 2 processes")


def test_a_container_whose_first_process_is_gone_is_still_killed(cgroup: Path) -> None:
    state = live_state()
    with sleeper() as second:
        with sleeper() as first:
            enter(cgroup, first, second)
            proc = state.processes.get(first)
        outcome = actor(state).act(Action("kill", scope="container"), event(proc), "a rule")
        wait_until(lambda: is_dead(second))
    assert outcome.outcome == "done"


def test_a_container_is_frozen_as_a_whole_and_can_be_thawed(cgroup: Path) -> None:
    state = live_state()
    with ExitStack() as stack:
        pids = [stack.enter_context(sleeper()) for _ in range(2)]
        inner = cgroup / "inner"
        inner.mkdir()
        enter(inner, *pids)
        outcome = actor(state).act(Action("freeze"), event(state.processes.get(pids[0])), "a rule")
        assert (outcome.outcome, outcome.error) == ("done", None)
        wait_until(lambda: "frozen 1" in (cgroup / "cgroup.events").read_text())
        thaw(cgroup)
        wait_until(lambda: "frozen 0" in (cgroup / "cgroup.events").read_text())


def test_a_container_that_holds_somebody_protected_is_not_frozen(cgroup: Path) -> None:
    state = live_state()
    with sleeper() as first, sleeper() as second:
        enter(cgroup, first, second)
        outcome = actor(state, pids=frozenset({second})).act(Action("freeze"), event(state.processes.get(first)), "a rule")
        assert (outcome.outcome, outcome.error) == ("refused", f"pid {second} (sleep): the configuration protects this pid")
        assert "frozen 0" in (cgroup / "cgroup.events").read_text()


@pytest.mark.parametrize(
    ("cgroup_file", "reason"),
    [
        (b"4:memory:/docker/x\n", "the process is in no cgroup of version 2"),
        (b"0::/\n", "its cgroup of version 2, /, is not its container's own"),
        (b"0::/system.slice/web.service\n", "its cgroup of version 2, /system.slice/web.service, is not its container's own"),
        (b"nonsense", "cgroup: 'nonsense' is not NUMBER:CONTROLLERS:PATH"),
    ],
)
def test_a_cgroup_that_is_not_the_containers_own_is_refused_with_the_reason(
    cgroup_file: bytes, reason: str, tmp_path: Path
) -> None:
    assert freezer_of(tmp_path, cgroup_file, "a" * 64) == reason


def test_the_freezer_is_that_of_the_container_not_of_a_cgroup_below_it(tmp_path: Path) -> None:
    own = tmp_path / f"system.slice/docker-{'a' * 64}.scope"
    (own / "init").mkdir(parents=True)
    (own / "cgroup.freeze").touch()
    assert freezer_of(tmp_path, f"0::/system.slice/docker-{'a' * 64}.scope/init\n".encode(), "a" * 64) == own


def test_this_process_is_in_no_container() -> None:
    assert live_state().processes.get(os.getpid()).container.id == "host"
