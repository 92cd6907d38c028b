"""Diagnostics for people and programs: text with the source line, JSON lines, SARIF 2.1.0, and what `falco -V` prints."""

from ruleng.lang.report.falco import render_falco
from ruleng.lang.report.findings import summary
from ruleng.lang.report.jsonl import render_json
from ruleng.lang.report.sarif import render_sarif
from ruleng.lang.report.text import render_text

__all__ = ["render_falco", "render_json", "render_sarif", "render_text", "summary"]
