"""Builds a service's read model anew from the topics' beginning, by its PROJECT handlers alone, while the old one serves.

The handlers are the consumer's, and so are their statements: they write by `Handling.model`, which runs a statement for one
row where a model serves, and once for the rows of many records here (`together`). The sessions reach the new schema and
nothing else; by `Handling.conn` a handler finds nothing and changes nothing, so what a service owns beside its read model
(events, announcements, marks) stays as it is.

The new model never runs ahead of the serving one: it reads up to the offsets that the service has stored. So keys and
reference are there, and what was parked is passed over: it comes by its replay, or was discarded.
"""

from services.kit.rebuild.build import Alone, Rebuild, RebuildError, Tally, lock_rebuild
from services.kit.rebuild.helpers import Helpers

__all__ = ["Alone", "Helpers", "Rebuild", "RebuildError", "Tally", "lock_rebuild"]
