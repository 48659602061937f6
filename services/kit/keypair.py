"""Keys to sign with (Ed25519, RFC 8032), as settings and events name them: 32 bytes in base64url without padding (RFC 8037)."""

from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.kit.encoded import base64url_of, bytes_of_url

_KEY_BYTES: Final = 32


def key_bytes(text: str) -> bytes:
    """The 32 bytes of a key in base64url without padding (RFC 8037); ValueError when it is none."""
    try:
        raw = bytes_of_url(text)
    except ValueError:
        raw = b""
    if len(raw) != _KEY_BYTES:
        message = "a key is 32 bytes in base64url: `python -m services.registry keys new-root` makes one"
        raise ValueError(message)
    return raw


def public_half(root: Ed25519PrivateKey) -> str:
    """The public half as settings name it: raw 32 bytes, base64url without padding (RFC 8037 `x`)."""
    return base64url_of(root.public_key().public_bytes_raw())


def public_half_of(private: str) -> str:
    """The public half of a private key, both as settings name them."""
    return public_half(private_key(private))


def private_key(text: str) -> Ed25519PrivateKey:
    """A private key as settings name it, to sign with; ValueError when it is none."""
    return Ed25519PrivateKey.from_private_bytes(key_bytes(text))


@lru_cache(maxsize=64)
def public_key(text: str) -> Ed25519PublicKey:
    """A public key as settings and events name it, to check with; ValueError when it is none."""
    return Ed25519PublicKey.from_public_bytes(key_bytes(text))
