"""What qr must know beside what every service does."""

from services.kit.settings import Settings


class QrSettings(Settings):
    """The common settings; `public_url` is what stands inside every code."""
