"""In which layer of a container's file system a program lies."""

from pathlib import Path

import pytest

from ruleng.state.overlay import in_upper_layer, mount_of
from ruleng.state.procfs import MountLine


def mount(point: str, fs_type: str = "ext4", options: str = "rw", root: str = "/") -> MountLine:
    return MountLine(1, root, point, fs_type, options)


def test_the_deepest_mount_holds_the_path_and_the_last_of_two_on_one_point() -> None:
    mounts = [mount("/"), mount("/usr"), mount("/usr", "tmpfs"), mount("/us")]
    found = mount_of(mounts, "/usr/bin/x")
    assert found is not None
    assert (found.point, found.fs_type) == ("/usr", "tmpfs")
    assert mount_of(mounts, "/user/x") is mounts[0]
    assert mount_of([], "/x") is None


@pytest.fixture
def layers(tmp_path: Path) -> list[MountLine]:
    (tmp_path / "upper/tmp").mkdir(parents=True)
    (tmp_path / "upper/tmp/dropped").touch()
    return [mount("/", "overlay", f"rw,lowerdir=/l1:/l2,upperdir={tmp_path}/upper,workdir=/w"), mount("/data")]


def test_a_file_made_since_the_container_began_is_in_the_upper_layer(layers: list[MountLine]) -> None:
    assert in_upper_layer(layers, "/tmp/dropped") is True


def test_a_file_of_the_image_is_in_a_lower_layer(layers: list[MountLine]) -> None:
    assert in_upper_layer(layers, "/bin/sh") is False


def test_a_file_of_a_volume_is_in_no_layer(layers: list[MountLine]) -> None:
    assert in_upper_layer(layers, "/data/tool") is None


def test_a_read_only_overlay_has_lower_layers_only() -> None:
    assert in_upper_layer([mount("/", "overlay", "ro,lowerdir=/a:/b")], "/bin/sh") is False
