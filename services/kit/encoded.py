"""Bytes as text (RFC 4648), by one codec for whatever is kept or travels as text; reading is strict."""

import base64


def base64_of(raw: bytes) -> str:
    """Bytes in base64, padded (section 4)."""
    return base64.b64encode(raw).decode()


def bytes_of(text: str) -> bytes:
    """What `base64_of` was given; ValueError for text that is none of its making."""
    return base64.b64decode(text, validate=True)


def base64url_of(raw: bytes) -> str:
    """Bytes in base64url (section 5) without padding, as RFC 8037 writes keys."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def bytes_of_url(text: str) -> bytes:
    """What `base64url_of` was given, with or without padding; ValueError for text that is none of its making."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
