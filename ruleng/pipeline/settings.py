"""What a run was asked for: the configuration file with the command line laid over it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ruleng
from ruleng.config import Config
from ruleng.engine.decide import Matching
from ruleng.state import Limits


def shipped_rules() -> Path:
    """The folder of the rules that ship with ruleng."""
    return Path(ruleng.__file__).parent / "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`None` or empty means that the command line says nothing, and the configuration (or its default) holds."""

    config: Config = field(default_factory=Config)
    rules: Sequence[str] = ()
    enable: Sequence[str] = ()
    disable: Sequence[str] = ()
    priority: str | None = None
    matching: str | None = None
    sources: Sequence[str] = ()
    sinks: Sequence[str] = ()
    audit_rules: str | None = None
    backend: str | None = None
    dry_run: bool = False
    duration_s: float | None = None

    def rule_paths(self) -> list[str]:
        return list(self.rules) or list(self.config.get("rules", "paths")) or [str(shipped_rules())]

    def source_names(self) -> list[str]:
        return list(self.sources) or list(self.config.get("source", "names"))

    def audit_backend(self) -> str:
        return self.backend or str(self.config.get("audit", "backend"))

    def manages_audit_rules(self) -> bool:
        return (self.audit_rules or self.config.get("audit", "rules")) == "manage"

    def limits(self) -> Limits:
        return Limits(processes=self.config.get("state", "processes"), containers=self.config.get("state", "containers"))

    def hostname(self) -> str:
        return str(self.config.get("output", "hostname")) or socket.gethostname()

    def rule_matching(self) -> Matching:
        return "all" if (self.matching or self.config.get("rules", "matching")) == "all" else "first"

    def minimum_priority(self) -> str:
        return self.priority or str(self.config.get("rules", "priority"))

    def without_acting(self) -> bool:
        return self.dry_run or bool(self.config.get("guard", "dry_run"))
