"""Where alerts go. Each sink takes batches of Alerts and puts them somewhere; none decides, filters or remembers rules.

Who does what when a sink fails:
- A sink takes a batch or raises SinkError, and says how many alerts of the batch it took all the same. It does not retry and
  keeps no alerts in memory, so that there is one place that does: the channel before it (`ruleng.pipeline.channel`).
- `http` may have a spool on disk, which outlives the process; an alert in the spool counts as taken.
- What a sink loses for good (a receiver refuses it, a crash cut it off) it counts in the Ledger under `sink.NAME`.
"""
