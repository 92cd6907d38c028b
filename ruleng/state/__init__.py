"""What is known about the host's processes, users and containers: bounded, counted, and in replay without the host.

`State` is the whole of it; sources tell it what records say and take snapshots out.
"""

from ruleng.state.limits import Limits
from ruleng.state.procfs_io import ProcReader
from ruleng.state.state import State

__all__ = ["Limits", "ProcReader", "State"]
