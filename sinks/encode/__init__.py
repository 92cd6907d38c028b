"""Alert -> bytes, pure: no clock, no file, no host. A sink chooses one by name, see `ruleng.sinks.encode.formats`."""
