"""One shared Container for each, bounded; bare names only with proof."""

from pathlib import Path

import pytest

from ruleng.event import HOST
from ruleng.state.cgroups import ContainerName
from ruleng.state.containers import Containers
from ruleng.state.limits import Limits
from ruleng.state.runtimes import RuntimeStates
from tests.state.support import Losses

ID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"


def inside_host() -> bool:
    return False


def outside() -> bool:
    return True


def must_not_look() -> bool:
    raise AssertionError("the process was looked at although its cgroup says enough")


@pytest.fixture
def losses() -> Losses:
    return Losses()


@pytest.fixture
def containers(losses: Losses, tmp_path: Path) -> Containers:
    return Containers(Limits(containers=2), losses, RuntimeStates(tmp_path))


def test_processes_of_one_container_share_one_object_whichever_cgroup_below_it_they_are_in(containers: Containers) -> None:
    first = containers.of_cgroup(f"0::/docker/{ID}\n".encode(), must_not_look)
    second = containers.of_cgroup(f"0::/docker/{ID}/init.scope\n".encode(), must_not_look)
    assert first is not None
    assert second is not None
    assert first[0] is second[0]
    assert (first[0].id, first[0].full_id, first[0].type) == (ID[:12], ID, "docker")
    assert (first[1], second[1]) == (f"/docker/{ID}", f"/docker/{ID}/init.scope")


def test_a_unit_of_the_host_is_the_host_without_a_look_at_the_process(containers: Containers) -> None:
    assert containers.of_cgroup(b"0::/system.slice/ssh.service\n", must_not_look) == (HOST, "/system.slice/ssh.service")


def test_a_bare_name_is_a_container_when_runc_keeps_state_for_it(containers: Containers, tmp_path: Path) -> None:
    (tmp_path / "runc/web").mkdir(parents=True)
    found = containers.of_cgroup(b"0::/web\n", must_not_look)
    assert found is not None
    assert (found[0].id, found[0].type) == ("web", "runc")


def test_a_bare_name_is_a_container_when_containerd_has_a_task_of_that_namespace(containers: Containers, tmp_path: Path) -> None:
    (tmp_path / "containerd/io.containerd.runtime.v2.task/acme/redis").mkdir(parents=True)
    found = containers.of_cgroup(b"0::/acme/redis\n", must_not_look)
    assert found is not None
    assert (found[0].id, found[0].type) == ("redis", "containerd")


def test_a_bare_name_without_state_is_a_container_when_the_process_has_a_root_of_its_own(containers: Containers) -> None:
    assert containers.of_cgroup(b"0::/web\n", inside_host) == (HOST, "/web")
    found = containers.of_cgroup(b"0::/web\n", outside)
    assert found is not None
    assert (found[0].id, found[0].type) == ("web", "oci")


def test_a_cgroup_made_inside_the_container_does_not_change_its_name(containers: Containers) -> None:
    found = containers.of_cgroup(b"0::/web/worker-7\n", outside)
    assert found is not None
    assert found[0].id == "web"


def test_a_bare_name_once_confirmed_needs_no_further_proof(containers: Containers) -> None:
    assert containers.of_cgroup(b"0::/web\n", outside) == containers.of_cgroup(b"0::/web\n", must_not_look)


def test_the_components_of_the_hosts_own_cgroup_name_no_container(containers: Containers) -> None:
    containers.host_is(b"4:memory:/process_api/7226\n0::/\n")
    assert containers.of_cgroup(b"4:memory:/process_api/7226\n0::/\n", must_not_look) == (HOST, "/process_api/7226")
    found = containers.of_cgroup(b"4:memory:/process_api/7226/web\n0::/web\n", outside)
    assert found is not None
    assert found[0].id == "web"


@pytest.mark.parametrize("name", ["..", ".", "", "a\0b"])
def test_names_that_are_no_file_names_are_not_looked_up(tmp_path: Path, name: str) -> None:
    (tmp_path / "runc").mkdir()
    assert RuntimeStates(tmp_path).type_of("", name) is None
    assert RuntimeStates(tmp_path).type_of(name, "..") is None


def test_a_malformed_cgroup_file_is_counted_and_says_nothing(containers: Containers, losses: Losses) -> None:
    assert containers.of_cgroup(b"no cgroup\n", must_not_look) is None
    assert losses.counts == {("state.containers", "cgroup: 'no cgroup' is not NUMBER:CONTROLLERS:PATH"): 1}


def test_the_container_not_seen_for_longest_is_forgotten_and_counted(containers: Containers, losses: Losses) -> None:
    for name in ("a", "b", "a", "c"):  # a is seen again before c needs a place
        containers.named(ContainerName(name, "runc"))
    assert len(containers) == 2
    assert containers.get("a") is not None
    assert containers.get("b") is None
    assert losses.counts == {("state.containers", "the table of containers is full: the one not seen for longest went"): 1}


def test_a_forgotten_container_is_not_remembered_by_its_cgroup_either(containers: Containers) -> None:
    before = containers.of_cgroup(f"0::/docker/{ID}\n".encode(), must_not_look)
    for name in ("a", "b"):
        containers.named(ContainerName(name, "runc"))
    after = containers.of_cgroup(f"0::/docker/{ID}\n".encode(), must_not_look)
    assert before is not None
    assert after is not None
    assert after[0] is not before[0]
    assert containers.get(ID) is after[0]
