"""In which layer of an overlay file system a file lies, from the mounts of its process. See the kernel's overlayfs.rst."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from stat import S_ISCHR

from ruleng.state.procfs import MountLine


def mount_of(mounts: Iterable[MountLine], path: str) -> MountLine | None:
    """The mount that an absolute path lies on; of several on one point the last one, which covers the others."""
    best = None
    for mount in mounts:
        below = mount.point in ("/", path) or path.startswith(mount.point + "/")
        if below and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def in_upper_layer(mounts: Iterable[MountLine], path: str) -> bool | None:
    """True in the upper layer (made or changed since the container began), False in a lower one, None not on an overlay.

    Looks whether the upper directory holds the file, at the path by which the mount was made.
    """
    mount = mount_of(mounts, path)
    if mount is None or mount.fs_type != "overlay":
        return None
    options = dict(option.partition("=")[::2] for option in mount.super_options.split(","))
    upper = options.get("upperdir")
    if not upper:
        return False
    relative = path if mount.point == "/" else path[len(mount.point) :]
    try:
        return not S_ISCHR(Path(upper + mount.root.rstrip("/") + relative).lstat().st_mode)  # 0/0 is a whiteout
    except (OSError, ValueError):
        return False
