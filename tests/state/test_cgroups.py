"""Cgroup files as the runtimes make them, and the containers they name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.state.cgroups import ContainerName, candidates, container_of, container_of_supervisor
from ruleng.state.procfs import parse_cgroup

ID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
OUTER = "f" * 64
POD = "8d2e3f4a-1b2c-4d5e-8f90-a1b2c3d4e5f6"
POD_ = POD.replace("-", "_")
ROOTLESS = "/user.slice/user-1000.slice/user@1000.service/user.slice"
BURSTABLE = "/kubepods.slice/kubepods-burstable.slice"
BEST_EFFORT = "/kubepods.slice/kubepods-besteffort.slice"

# what runs it -> (one path of its cgroup file, type, full id, pod)
CONTAINERS = {
    "docker, cgroupfs driver": (f"/docker/{ID}", "docker", ID, None),
    "docker, systemd driver": (f"/system.slice/docker-{ID}.scope", "docker", ID, None),
    "docker, own cgroup parent": (f"/acme/jobs/docker-{ID}.scope", "docker", ID, None),
    "docker, rootless": (f"{ROOTLESS}/docker-{ID}.scope", "docker", ID, None),
    "docker, with systemd inside": (f"/docker/{ID}/system.slice/cron.service", "docker", ID, None),
    "docker inside docker": (f"/docker/{OUTER}/docker/{ID}", "docker", ID, None),
    "docker, seen from another cgroup namespace": (f"/../docker-{ID}.scope", "docker", ID, None),
    "docker as containerd calls it": (f"/moby/{ID}", "docker", ID, None),
    "docker build": ("/docker/buildkit/8kkx1l2b3k4j5h6g7f8d9s0ab", "buildkit", "8kkx1l2b3k4j5h6g7f8d9s0ab", None),
    "podman, cgroupfs manager": (f"/libpod_parent/libpod-{ID}", "podman", ID, None),
    "podman, systemd manager": (f"/machine.slice/libpod-{ID}.scope", "podman", ID, None),
    "podman with crun": (f"/machine.slice/libpod-{ID}.scope/container", "podman", ID, None),
    "podman, rootless": (f"{ROOTLESS}/libpod-{ID}.scope/container", "podman", ID, None),
    "podman, in a unit of systemd": (f"/system.slice/web.service/libpod-payload-{ID}", "podman", ID, None),
    "kubernetes, containerd, systemd, burstable": (
        f"{BURSTABLE}/kubepods-burstable-pod{POD_}.slice/cri-containerd-{ID}.scope", "containerd", ID, POD),
    "kubernetes, containerd, systemd, guaranteed": (
        f"/kubepods.slice/kubepods-pod{POD_}.slice/cri-containerd-{ID}.scope", "containerd", ID, POD),
    "kubernetes, containerd, cgroupfs, best effort": (f"/kubepods/besteffort/pod{POD}/{ID}", "containerd", ID, POD),
    "kubernetes, containerd, cgroupfs, guaranteed": (f"/kubepods/pod{POD}/{ID}", "containerd", ID, POD),
    "kubernetes, drivers that disagree": (
        f"/system.slice/containerd.service/kubepods-burstable-pod{POD_}.slice:cri-containerd:{ID}", "containerd", ID, POD),
    "kubernetes in docker (kind)": (
        f"/docker/{OUTER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
        f"kubelet-kubepods-burstable-pod{POD_}.slice/cri-containerd-{ID}.scope", "containerd", ID, POD),
    "kubernetes, static pod": (f"/kubepods/burstable/pod{'ab' * 16}/{ID}", "containerd", ID, "ab" * 16),
    "kubernetes, docker": (
        f"{BEST_EFFORT}/kubepods-besteffort-pod{POD_}.slice/docker-{ID}.scope", "docker", ID, POD),
    "kubernetes, cri-o, systemd": (
        f"{BEST_EFFORT}/kubepods-besteffort-pod{POD_}.slice/crio-{ID}.scope/container", "cri-o", ID, POD),
    "kubernetes, cri-o, cgroupfs": (f"/kubepods/burstable/pod{POD}/crio-{ID}", "cri-o", ID, POD),
    "containerd, ctr": (f"/default/{ID}", "containerd", ID, None),
    "nerdctl": (f"/system.slice/nerdctl-{ID}.scope", "containerd", ID, None),
    "runc, an id of 64 digits": (f"/{ID}", "runc", ID, None),
    "runc, systemd": ("/system.slice/runc-web.scope", "runc", "web", None),
    "crun, systemd": ("/user.slice/crun-my-job.scope", "crun", "my-job", None),
    "lxc": ("/lxc.payload.web", "lxc", "web", None),
    "lxc 4": ("/lxc.payload/web", "lxc", "web", None),
    "lxc 2": ("/lxc/web", "lxc", "web", None),
    "LXD, a unit inside": ("/lxc.payload.u1/system.slice/ssh.service", "lxc", "u1", None),
    "systemd-nspawn": ("/machine.slice/machine-deb12.scope/payload", "systemd-nspawn", "deb12", None),
    "systemd-nspawn, an escaped name": (r"/machine.slice/machine-my\x2dbox.scope", "systemd-nspawn", "my-box", None),
    "systemd-nspawn, as a service": ("/machine.slice/systemd-nspawn@deb12.service/payload", "systemd-nspawn", "deb12", None),
    "amazon ecs": (f"/ecs/0f1e2d3c-aaaa-bbbb-cccc-0123456789ab/{ID}", "docker", ID, None),
    "github actions": (f"/actions_job/{ID}", "docker", ID, None),
}  # fmt: skip

# what of the host -> a path that names no container for sure
HOST = {
    "everything": "/",
    "pid 1": "/init.scope",
    "a service": "/system.slice/ssh.service",
    "a service with cgroups of its own": "/system.slice/containerd.service/supervisor",
    "a login": "/user.slice/user-1000.slice/session-4.scope",
    "a program of a desktop": "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-2251.scope",
    "a snap": "/system.slice/snap.lxd.daemon.service",
    "conmon of podman": f"/machine.slice/libpod-conmon-{ID}.scope",
    "conmon of podman, cgroupfs": "/libpod_parent/conmon",
    "conmon of cri-o": f"/kubepods.slice/crio-conmon-{ID}.scope",
    "the monitor of lxc": "/lxc.monitor.web",
    "systemd-nspawn itself": "/machine.slice/systemd-nspawn@deb12.service/supervisor",
    "a virtual machine": r"/machine.slice/machine-qemu\x2d3\x2dwin11.scope",
    "kubelet": "/system.slice/kubelet.service",
    "a pod's own cgroup": f"/kubepods.slice/kubepods-pod{POD_}.slice",
    "an id that is too short": f"/docker/{ID[:63]}",
    "an id in capitals": f"/docker/{ID.upper()}",
}


def unified(path: str) -> bytes:
    return b"0::" + path.encode() + b"\n"


@pytest.mark.parametrize("runtime", CONTAINERS)
def test_the_container_is_known_by_its_cgroup(runtime: str) -> None:
    path, kind, full_id, pod = CONTAINERS[runtime]
    assert container_of(parse_cgroup(unified(path))) == ContainerName(full_id, kind, pod)


@pytest.mark.parametrize("runtime", CONTAINERS)
def test_and_by_the_longest_path_where_hierarchies_are_many(runtime: str) -> None:
    path, kind, full_id, pod = CONTAINERS[runtime]
    lines = f"12:pids:{path}\n4:memory:/\n3:cpuset:/\n1:name=systemd:{path}\n0::/\n".encode()
    assert container_of(parse_cgroup(lines)) == ContainerName(full_id, kind, pod)


@pytest.mark.parametrize("what", HOST)
def test_the_host_is_not_a_container(what: str) -> None:
    assert container_of(parse_cgroup(unified(HOST[what]))) is None


def test_docker_on_a_hybrid_host() -> None:
    hybrid = f"""12:blkio:/docker/{ID}
11:rdma:/
10:net_cls,net_prio:/docker/{ID}
1:name=systemd:/docker/{ID}
0::/system.slice/containerd.service
"""
    assert container_of(parse_cgroup(hybrid.encode())) == ContainerName(ID, "docker")


def test_the_short_id_is_12_digits_of_a_hash_and_the_whole_of_a_name() -> None:
    assert ContainerName(ID, "docker").id == ID[:12]
    assert ContainerName("a-container-with-a-name", "runc").id == "a-container-with-a-name"


@pytest.mark.parametrize(
    ("path", "bare"),
    [
        ("/web", [("", "web")]),
        ("/web/workers", [("web", "workers"), ("", "web")]),
        ("/default/redis", [("default", "redis")]),
        ("/../web", [("..", "web")]),
        ("/system.slice/ssh.service", []),
        ("/kubepods/besteffort", []),
        ("/", []),
    ],
)
def test_bare_names_are_candidates_and_units_are_not(path: str, bare: list[tuple[str, str]]) -> None:
    assert list(candidates(parse_cgroup(unified(path)))) == bare


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("/usr/bin/conmon", "--api-version", "1", "-c", ID, "-u", ID), ContainerName(ID, "podman")),
        (("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", ID, "-address", "x"), ContainerName(ID, "containerd")),
        (("/usr/bin/conmon", "-c"), None),
        (("/usr/bin/cat", "-c", ID), None),
        ((), None),
    ],
)
def test_supervisors_say_for_which_container_they_run(argv: tuple[str, ...], name: ContainerName | None) -> None:
    assert container_of_supervisor(argv) == name


@given(st.lists(st.text(alphabet="abcpod-_.:\\x/0123456789f", max_size=80), max_size=6))
def test_no_path_breaks_the_search_and_no_found_id_is_empty(paths: list[str]) -> None:
    lines = parse_cgroup(b"".join(unified("/" + path) for path in paths))
    name = container_of(lines)
    assert name is None or (name.id and name.full_id.startswith(name.id))
    assert all(bare and "/" not in bare for _, bare in candidates(lines))
