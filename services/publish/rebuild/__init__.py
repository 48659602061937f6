"""Builds the read model anew while the old one serves, compares both by village, and switches (docs/adr/0010).

Killed at any moment it leaves the old model serving; the next rebuild drops what was begun and starts clean.
"""

from services.publish.rebuild.command import digest, rebuild_command

__all__ = ["digest", "rebuild_command"]
