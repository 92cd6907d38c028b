"""Coverage-guided fuzzing of what reads strangers' bytes: `python -m tests.fuzz audit --seconds 60` (needs atheris)."""
