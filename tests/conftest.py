"""What a test may need of the host. Missing, it is skipped and says so; named in RULENG_REQUIRE (as in CI), it fails.

RULENG_REQUIRE=live,containers,peers,packaging,shared python -m pytest
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ruleng", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ruleng")  # a busy machine is no reason for a law to fail

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Conformance data and Falco's own rule files: they lie beside the project and are no part of it."""


def _live() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9).close()  # NETLINK_AUDIT, linux/netlink.h
    except OSError as error:
        return f"needs a kernel with audit: {error.strerror}"
    return None


def _containers() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    return None if shutil.which("runc") else "needs runc (apt-get install runc)"


def _peers() -> str | None:
    missing = [name for name in ("laurel", "auditctl") if not shutil.which(name)]
    if not Path("/usr/lib/python3/dist-packages/auparse.so").exists() and not list(
        Path("/usr/lib/python3/dist-packages").glob("auparse*.so")
    ):
        missing.append("python3-audit")
    return f"needs {', '.join(missing)}" if missing else None


def _shared() -> str | None:
    return None if SHARED.is_dir() else "needs the conformance data in ../shared"


NEEDS: dict[str, Callable[[], str | None]] = {
    "live": _live,
    "containers": _containers,
    "peers": _peers,
    "packaging": lambda: None,
    "shared": _shared,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("RULENG_REQUIRE", "").split(",")
    for name, probe in NEEDS.items():
        if item.get_closest_marker(name) and (missing := probe()):
            if name in required:
                pytest.fail(f"{missing}, and RULENG_REQUIRE names {name}")
            pytest.skip(missing)


@pytest.fixture
def shared() -> Path:
    """The folder beside the project with conformance data; mark the test `shared`."""
    return SHARED
