"""All benchmarks in one run: `python -m tests.bench`. Ratios within a run are to be trusted, single numbers are not."""

from __future__ import annotations

import importlib

SECTIONS = {
    "start": "how soon it is there",
    "engine": "event to decision",
    "audit": "audit log to decision, beside laurel",
    "perf": "tracepoint to event, and what a live run costs",
    "memory": "peak memory of a long replay",
}

for name, title in SECTIONS.items():
    print(f"== {name}: {title}", flush=True)
    importlib.import_module(f"tests.bench.{name}").main()
    print()
