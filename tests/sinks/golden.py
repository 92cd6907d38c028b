"""Goldens: what an encoder makes of the samples, kept for a reader's eyes. RULENG_UPDATE_GOLDENS=1 rewrites them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("goldens")


def check(name: str, data: bytes) -> None:
    path = FOLDER / name
    if os.environ.get("RULENG_UPDATE_GOLDENS"):
        path.write_bytes(data)
    assert data == path.read_bytes(), f"{path} differs: see RULENG_UPDATE_GOLDENS in {__file__}"


def check_json(name: str, data: bytes) -> None:
    """Compared as laid out for people, keys in the order in which they were written."""
    document: Any = json.loads(data)
    check(name, json.dumps(document, indent=2, ensure_ascii=True).encode() + b"\n")
