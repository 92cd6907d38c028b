"""Linux audit: what records mean. `AuditEvent`s in (see `ruleng.sources.audit` for the way from bytes), Events out."""

from ruleng.normalise.audit.calls import supporting
from ruleng.normalise.audit.event import AuditEvent, Record
from ruleng.normalise.audit.normaliser import AuditNormaliser
from ruleng.normalise.audit.syscall import Syscall, parse_syscall

__all__ = ["AuditEvent", "AuditNormaliser", "Record", "Syscall", "parse_syscall", "supporting"]
