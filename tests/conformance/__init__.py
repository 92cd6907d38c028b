"""Runs folders of cases in the format of the conformance data against ruleng: `python -m tests.conformance --data DIR`."""
