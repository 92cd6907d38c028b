"""ruleng: a detection and response engine for Linux."""

__version__ = "0.1.0"
