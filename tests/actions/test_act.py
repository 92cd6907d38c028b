"""Real processes, started by the test: who is hit, who is not, and what the outcome says."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ruleng.actions.act import own_pids
from ruleng.actions.journal import read_journal
from ruleng.event import HOST, Container, Process, evolve
from ruleng.lang.checked import Action
from ruleng.state import Limits, ProcReader, State
from tests.actions.support import RealClock, actor, event, family, is_dead, is_stopped, live_state, sleeper, state_of, wait_until
from tests.state.support import Losses

KILL = Action("kill")


def test_a_process_is_killed() -> None:
    state = live_state()
    with sleeper() as pid:
        outcome = actor(state).act(KILL, event(state.processes.get(pid)), "a rule")
        wait_until(lambda: is_dead(pid))
    assert (outcome.action, outcome.outcome, outcome.target, outcome.error) == ("kill", "done", f"pid {pid} (sleep)", None)
    assert outcome.time_ns is not None


def test_the_rule_chooses_the_signal() -> None:
    state = live_state()
    child = subprocess.Popen(["sleep", "60"])
    outcome = actor(state).act(Action("kill", signal=signal.SIGTERM), event(state.processes.get(child.pid)), "a rule")
    assert (outcome.outcome, child.wait(timeout=10)) == ("done", -signal.SIGTERM)


def test_a_process_is_stopped_and_not_killed() -> None:
    state = live_state()
    with sleeper() as pid:
        assert actor(state).act(Action("stop"), event(state.processes.get(pid)), "a rule").outcome == "done"
        wait_until(lambda: is_stopped(pid))


def test_a_process_that_has_exited_meanwhile_is_gone() -> None:
    state = live_state()
    with sleeper() as pid:
        proc = state.processes.get(pid)
    outcome = actor(state).act(KILL, event(proc), "a rule")
    assert (outcome.outcome, outcome.error) == ("gone", "it has exited")


def test_a_process_that_is_only_waited_for_is_gone() -> None:
    state = live_state()
    child = subprocess.Popen(["true"])
    proc = state.processes.get(child.pid)
    wait_until(lambda: state_of(child.pid) == "Z")
    outcome = actor(state).act(KILL, event(proc), "a rule")
    child.wait()
    assert outcome.outcome == "gone"


@pytest.mark.parametrize("wrong_by_ns", [-1_000_000_000, 1_000_000_000, -200_000_000])
def test_another_process_that_has_the_pid_now_is_not_hit(wrong_by_ns: int) -> None:
    state = live_state()
    with sleeper() as pid:
        proc = state.processes.get(pid)
        assert proc.start_ns is not None
        other = evolve(proc, start_ns=proc.start_ns + wrong_by_ns)
        assert actor(state).act(KILL, event(other), "a rule").outcome == "gone"
        assert not is_dead(pid)


def test_a_process_whose_start_nobody_knows_is_refused() -> None:
    state = live_state()
    with sleeper() as pid:
        outcome = actor(state).act(KILL, event(Process(pid=pid, name="sleep")), "a rule")
        assert (outcome.outcome, outcome.target) == ("refused", f"pid {pid} (sleep)")
        assert outcome.error == "its start time is not known: it cannot be told from another process"
        assert not is_dead(pid)


def test_an_event_without_a_process_is_refused() -> None:
    assert actor(live_state()).act(KILL, event(Process()), "a rule").outcome == "refused"


def test_pid_1_this_process_its_parent_and_kernel_threads_are_refused() -> None:
    state = live_state()
    acting = actor(state)
    for pid in (1, 2, os.getpid(), os.getppid()):
        outcome = acting.act(KILL, event(state.processes.get(pid)), "a rule")
        assert outcome.outcome == "refused", outcome


def test_what_the_configuration_protects_is_refused() -> None:
    state = live_state()
    with sleeper() as pid:
        proc = state.processes.get(pid)
        outcome = actor(state, exe_paths=(proc.exepath,)).act(KILL, event(proc), "a rule")
        assert (outcome.outcome, outcome.error) == ("refused", "the configuration protects this program")
        assert not is_dead(pid)


def test_own_pids_are_this_process_its_threads_and_its_ancestors() -> None:
    own = own_pids(ProcReader())
    assert {os.getpid(), os.getppid()} <= own
    assert {int(task.name) for task in Path("/proc/self/task").iterdir()} <= own


def test_a_dry_run_decides_everything_and_does_nothing(tmp_path: Path) -> None:
    state, journal = live_state(), tmp_path / "actions.jsonl"
    with sleeper() as pid:
        trying = actor(state, journal=journal, dry_run=True)
        assert trying.act(KILL, event(state.processes.get(pid)), "a rule").outcome == "dry-run"
        assert trying.act(KILL, event(state.processes.get(1)), "a rule").outcome == "refused"
        assert not is_dead(pid)
    entries, _ = read_journal(journal)
    assert [(entry["phase"], entry["outcome"]) for entry in entries] == [("outcome", "dry-run"), ("outcome", "refused")]


def test_a_blown_fuse_leaves_alerts_only() -> None:
    state = live_state()
    fused = actor(state, per_minute=1)
    with sleeper() as first, sleeper() as second:
        procs = [state.processes.get(first), state.processes.get(second)]
        outcomes = [fused.act(KILL, event(proc), "a rule") for proc in (*procs, procs[1])]
        assert [outcome.outcome for outcome in outcomes] == ["done", "refused", "refused"]
        assert outcomes[2].error == "the fuse has blown: alerts only, until it is reset"
        assert not is_dead(second)


def test_in_replay_nothing_is_touched() -> None:
    live = live_state()
    with sleeper() as pid:
        outcome = actor(State(None, RealClock(), Limits(), Losses())).act(KILL, event(live.processes.get(pid)), "a rule")
        assert (outcome.outcome, outcome.error) == ("skipped", "the event did not happen on this host now")
        assert not is_dead(pid)


@pytest.mark.parametrize("name", ["alert", "log"])
def test_alert_and_log_are_somebody_elses_to_do(name: str) -> None:
    outcome = actor(live_state()).act(Action(name), event(Process(pid=1)), "a rule")  # type: ignore[arg-type]  # of two
    assert (outcome.action, outcome.outcome, outcome.target) == (name, "done", None)


def test_deny_is_not_done_here_and_says_so() -> None:
    assert actor(live_state()).act(Action("deny"), event(Process(pid=4711)), "a rule").outcome == "skipped"


def test_the_journal_has_the_intent_before_and_the_outcome_after(tmp_path: Path) -> None:
    state, journal = live_state(), tmp_path / "actions.jsonl"
    with sleeper() as pid:
        proc = state.processes.get(pid)
        actor(state, journal=journal).act(KILL, event(proc), "Shell in container")
    (intent, outcome), _ = read_journal(journal)
    assert (intent["phase"], intent["rule"], intent["pid"], intent["start_ns"]) == (
        "intent",
        "Shell in container",
        pid,
        proc.start_ns,
    )
    assert (outcome["phase"], outcome["outcome"], outcome["cmdline"]) == ("outcome", "done", "sleep 60")


# --- trees ------------------------------------------------------------------------------------------------------------


def test_a_tree_is_killed_to_its_last_leaf_and_nothing_beside_it() -> None:
    state = live_state()
    with family(2) as (root, others), sleeper() as beside:
        outcome = actor(state).act(Action("kill", scope="tree"), event(state.processes.get(root)), "a rule")
        wait_until(lambda: all(is_dead(pid) for pid in (root, *others)))
        assert not is_dead(beside)
    assert (outcome.outcome, outcome.target) == (
        "done",
        f"pid {root} ({Path('/proc/self/comm').read_text()[:-1]}) and tree: 15 processes",
    )


def test_a_tree_can_be_told_to_end_in_peace() -> None:
    state = live_state()
    with family(1) as (root, others):
        outcome = actor(state).act(Action("kill", scope="tree", signal=signal.SIGTERM), event(state.processes.get(root)), "a rule")
        wait_until(lambda: all(is_dead(pid) for pid in (root, *others)))
    assert outcome.outcome == "done"


def test_a_tree_can_be_stopped() -> None:
    state = live_state()
    with family(1) as (root, others):
        actor(state).act(Action("stop", scope="tree"), event(state.processes.get(root)), "a rule")
        wait_until(lambda: all(is_stopped(pid) for pid in (root, *others)))


def test_a_daemon_that_forked_itself_out_of_the_tree_is_found_by_its_lineage() -> None:
    state = live_state()
    with subprocess.Popen(["sh", "-c", "(setsid sleep 60 & echo $!) ; exec sleep 60"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        daemon = int(shell.stdout.readline())
        state.processes.get(shell.pid)
        root = state.processes.get(shell.pid)
        found = state.processes.get(daemon)
        assert found.ppid != shell.pid, "the kernel has given it another parent"
        assert found.start_ns is not None
        state.processes.fork(shell.pid, daemon, found.start_ns)
        outcome = actor(state).act(Action("kill", scope="tree"), event(root), "a rule")
        wait_until(lambda: is_dead(daemon))
    assert outcome.outcome == "done"


def test_a_protected_process_in_the_tree_is_left_running_and_named() -> None:
    state = live_state()
    with family(0) as (root, others):
        outcome = actor(state, pids=frozenset({others[0]})).act(
            Action("kill", scope="tree"), event(state.processes.get(root)), "a rule"
        )
        wait_until(lambda: is_dead(root) and is_dead(others[1]))
        assert not is_stopped(others[0])
        assert not is_dead(others[0])
    assert outcome.outcome == "done"
    assert outcome.error is not None
    assert outcome.error.startswith(f"pid {others[0]} (")
    assert outcome.error.endswith("): the configuration protects this pid")


def test_the_tree_of_a_protected_process_is_refused_as_a_whole() -> None:
    state = live_state()
    outcome = actor(state).act(Action("kill", scope="tree"), event(state.processes.get(os.getpid())), "a rule")
    assert (outcome.outcome, outcome.error) == ("refused", "it is ruleng itself, or what runs ruleng")


# --- containers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [Action("kill", scope="container"), Action("stop", scope="container"), Action("freeze")])
@pytest.mark.parametrize("container", [HOST, Container()], ids=["on the host", "not known"])
def test_a_container_action_outside_of_containers_is_refused(action: Action, container: Container) -> None:
    state = live_state()
    with sleeper() as pid:
        proc = evolve(state.processes.get(pid), container=container)
        outcome = actor(state).act(action, event(proc), "a rule")
        assert (outcome.outcome, outcome.error) == ("refused", "it is in no container")
        assert not is_dead(pid)
