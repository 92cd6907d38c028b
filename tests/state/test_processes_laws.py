"""Laws of the tree, over any sequence of records, true and forged."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.event import NO_TASK, Process, Task
from ruleng.state import Limits, State
from tests.state.support import SECOND_NS, Losses, StillClock

LIMITS = Limits(processes=6, exited=2, exited_grace_ns=5 * SECOND_NS, lineage=3)

pids = st.integers(1, 9)
names = st.sampled_from(["sh", "cat", None])
steps = st.one_of(
    st.tuples(st.just("seen"), pids, pids, names),
    st.tuples(st.just("exec"), pids, pids, names),
    st.tuples(st.just("fork"), pids, pids, names),
    st.tuples(st.just("exit"), pids, pids, names),
    st.tuples(st.just("lead"), pids, pids, names),
)
histories = st.lists(st.tuples(steps, st.integers(-1, 3)), max_size=60)


def told(state: State, history: list[tuple[tuple[str, int, int, str | None], int]]) -> list[tuple[Process, dict[str, Any]]]:
    """Every snapshot handed out, with what was in it then."""
    time_ns, out = 1_000 * SECOND_NS, []
    processes = state.processes
    for (what, pid, other, name), passed_s in history:
        time_ns += passed_s * SECOND_NS
        match what:
            case "seen":
                proc = processes.seen(pid, time_ns, ppid=other, name=name, exepath=name and f"/bin/{name}")
            case "exec":
                proc = processes.exec(pid, time_ns, name=name, argv=name and [name], exepath=name and f"/bin/{name}", ppid=other)
            case "fork":
                proc = processes.fork(other, pid, time_ns)
            case "lead":
                proc = processes.seen(pid, time_ns, sid=other, pgid=pid)
            case _:
                processes.exit(pid, time_ns)
                proc = processes.get(pid)
        out.append((proc, content(proc)))
    return out


def content(proc: Process) -> dict[str, Any]:
    return {name: getattr(proc, name) for name in Process.__struct_fields__}


def chain(proc: Process, most: int) -> int:
    length, up = 0, proc.parent
    while up is not NO_TASK:
        length += 1
        assert length <= most, "a ring, or a chain beyond its bound"
        up = up.now.parent
    return length


@given(histories)
@settings(max_examples=150, deadline=None)
def test_bounds_hold_and_lineages_end(history: list[tuple[tuple[str, int, int, str | None], int]]) -> None:
    state = State(None, StillClock(), LIMITS, Losses())
    for proc, _ in told(state, history):
        chain(proc, LIMITS.lineage * 4)
    assert len(state.processes) <= LIMITS.processes
    for proc in state.processes:
        assert proc.pid is not None
        assert state.processes.get(proc.pid) is proc


@given(histories)
@settings(max_examples=100, deadline=None)
def test_a_snapshot_never_changes_after_it_was_handed_out(history: list[tuple[tuple[str, int, int, str | None], int]]) -> None:
    for proc, was in told(State(None, StillClock(), LIMITS, Losses()), history):
        now = content(proc)
        assert all(value is now[name] if isinstance(value, Task) else value == now[name] for name, value in was.items())


@given(histories, pids, pids)
@settings(max_examples=100, deadline=None)
def test_the_same_record_again_gives_the_very_same_snapshot(
    history: list[tuple[tuple[str, int, int, str | None], int]], pid: int, ppid: int
) -> None:
    state = State(None, StillClock(), LIMITS, Losses())
    told(state, history)
    time_ns = 10_000 * SECOND_NS
    first = state.processes.seen(pid, time_ns, ppid=ppid, name="x", exepath="/x", uid=0, gid=0, euid=0, egid=0, tty=0, cwd="/")
    again = state.processes.seen(pid, time_ns, ppid=ppid, name="x", exepath="/x", uid=0, gid=0, euid=0, egid=0, tty=0, cwd="/")
    assert again is first


@given(st.integers(2, 6), st.lists(st.booleans(), min_size=1, max_size=120))
@settings(max_examples=50, deadline=None)
def test_however_a_chain_of_forks_dies_off_no_dead_ancestor_beyond_the_limit_is_kept(lineage: int, exits: list[bool]) -> None:
    state = State(None, StillClock(), Limits(lineage=lineage, exited=1), Losses())
    for pid, parent_exits in enumerate(exits, 2):
        state.processes.fork(pid - 1, pid, pid)
        if parent_exits:
            state.processes.exit(pid - 1, pid)
    assert chain(state.processes.get(len(exits) + 1), lineage * 4) <= (lineage if all(exits) else lineage * 4)
