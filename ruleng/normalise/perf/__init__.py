"""Tracepoints: what their samples mean. `Record`s in (see `ruleng.sources.perf` for the way from the kernel), Events out."""

from ruleng.normalise.perf.normaliser import PerfNormaliser
from ruleng.normalise.perf.record import Record

__all__ = ["PerfNormaliser", "Record"]
