"""What is never touched, what the configuration protects, and the fuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.actions.guard import MINUTE_NS, Guard, Protected, Target

OWN = frozenset({500, 501, 40})  # ruleng, a thread of it, and its parent


def guard(**protected: object) -> Guard:
    return Guard(Protected(**protected), announce=lambda _: None)  # type: ignore[arg-type]  # each test names its own


ATTACKER = Target(pid=4711, name="nc", exepath="/tmp/nc", uid=1000, user="eve", container_id="host")

NEVER = {
    "pid 1": (Target(pid=1, exepath="/usr/lib/systemd/systemd"), "pid 1 keeps the host running"),
    "pid 0, which would be the own process group": (Target(pid=0), "0 is not the pid of a process"),
    "a negative pid, which would be a process group": (Target(pid=-4711), "-4711 is not the pid of a process"),
    "a kernel thread": (Target(pid=30, name="kauditd", is_kernel_thread=True), "it is a kernel thread"),
    "ruleng": (Target(pid=500), "it is ruleng itself, or what runs ruleng"),
    "a thread of ruleng": (Target(pid=501), "it is ruleng itself, or what runs ruleng"),
    "the parent of ruleng": (Target(pid=40), "it is ruleng itself, or what runs ruleng"),
}


@pytest.mark.parametrize("what", NEVER)
def test_some_are_never_touched_whatever_the_configuration_says(what: str) -> None:
    target, reason = NEVER[what]
    assert guard(runtimes=False).refusal(target, OWN) == reason


def test_anybody_else_may_be_touched() -> None:
    assert guard().refusal(ATTACKER, OWN) is None


PROTECTED = {
    "pids": (frozenset({4711}), "the configuration protects this pid"),
    "users by name": (frozenset({"eve"}), "the configuration protects this user"),
    "users by number": (frozenset({"1000"}), "the configuration protects this user"),
    "exe_paths": (("/opt/*", "/tmp/nc"), "the configuration protects this program"),
    "images": (("acme/*",), "the configuration protects this image"),
}


@pytest.mark.parametrize("what", PROTECTED)
def test_the_configuration_protects_more(what: str) -> None:
    value, reason = PROTECTED[what]
    target = Target(pid=4711, exepath="/tmp/nc", uid=1000, user="eve", image="acme/web:1")
    assert guard(**{what.split(maxsplit=1)[0]: value}).refusal(target, OWN) == reason


@pytest.mark.parametrize(
    "exepath",
    [
        "/usr/bin/dockerd",
        "/usr/bin/containerd",
        "/usr/bin/containerd-shim-runc-v2",
        "/usr/local/bin/podman",
        "/usr/libexec/podman/conmon",
        "/usr/sbin/runc",
        "/opt/cni/bin/crio",
        "/var/lib/rancher/k3s/data/current/bin/containerd",
        "/memfd:runc_cloned:/proc/self/exe (deleted)",
    ],
)
def test_container_runtimes_of_the_host_are_protected_unless_the_configuration_says_otherwise(exepath: str) -> None:
    runtime = Target(pid=700, exepath=exepath, uid=0, container_id="host")
    assert guard().refusal(runtime, OWN) == "it is a container runtime of the host"
    assert guard(runtimes=False).refusal(runtime, OWN) is None


@pytest.mark.parametrize(
    "target",
    [
        Target(pid=700, exepath="/tmp/dockerd", uid=0, container_id="host"),
        Target(pid=700, exepath="/home/eve/usr/bin/runc", uid=1000, container_id="host"),
        Target(pid=700, exepath="/usr/bin/dockerd", uid=0, container_id="3ad7b26ded6d"),
        Target(pid=700, exepath="/memfd:runc_cloned:/x (deleted)", uid=1000, container_id="host"),
        Target(pid=700, name="dockerd", exepath="/usr/bin/nc", uid=0, container_id="host"),
    ],
    ids=["from /tmp", "from a home", "inside a container", "a copy that a user made", "by name only"],
)
def test_a_program_that_poses_as_a_runtime_is_not_one(target: Target) -> None:
    assert guard().refusal(target, OWN) is None


@given(st.integers(max_value=1), st.text(max_size=5))
def test_no_number_below_two_passes(pid: int, name: str) -> None:
    assert guard(runtimes=False).refusal(Target(pid=pid, name=name), frozenset()) is not None


# --- the fuse ---------------------------------------------------------------------------------------------------------


def test_the_fuse_blows_once_loudly_and_stays_blown_until_it_is_reset() -> None:
    told: list[str] = []
    fused = Guard(Protected(), told.append, per_minute=3)
    assert [fused.take(ns) for ns in range(3)] == [None] * 3
    assert fused.take(3) == "more than 3 actions in a minute: the fuse has blown"
    assert fused.take(10 * MINUTE_NS) == "the fuse has blown: alerts only, until it is reset"
    assert len(told) == 1
    assert told[0].startswith("more than 3 destructive actions in a minute")
    fused.reset()
    assert fused.take(11 * MINUTE_NS) is None


def test_actions_more_than_a_minute_old_do_not_count() -> None:
    fused = Guard(Protected(), lambda _: None, per_minute=2)
    assert [fused.take(second * MINUTE_NS // 2) for second in range(20)] == [None] * 20


@given(st.integers(1, 5), st.lists(st.integers(0, MINUTE_NS), max_size=40))
def test_never_more_than_the_limit_in_any_minute(limit: int, gaps: list[int]) -> None:
    fused = Guard(Protected(), lambda _: None, per_minute=limit)
    now_ns, taken = 0, []
    for gap in gaps:
        now_ns += gap
        if fused.take(now_ns) is None:
            taken.append(now_ns)
    for start in taken:
        assert sum(1 for time_ns in taken if start <= time_ns < start + MINUTE_NS) <= limit
