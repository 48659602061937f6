"""Settings of ingest."""

from services.kit.settings import Settings


class IngestSettings(Settings):
    """The common settings are enough."""
