"""Words: what the services say to each other. Pure models and functions; no I/O, no framework."""
