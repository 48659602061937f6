"""The second factor (RFC 6238): who needs one, its secret, and which step of the clock a code stands for."""

import base64
import binascii
import hmac
from datetime import datetime
from typing import Final

import pyotp

from services.contracts.base import Role

#: Who needs a second factor, always.
TOTP_ROLES: Final = frozenset({Role.INSPECTOR, Role.OPERATOR, Role.REVIEWER, Role.ACCOUNTANT})
_STEP_S: Final = 30
_DIGITS: Final = 6


def new_secret() -> str:
    """A random secret of 160 bits, base32."""
    return pyotp.random_base32()


def enrolment(secret: str, username: str) -> str:
    """The address that an authenticator application reads from a code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name="阳光三务")


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The step (30 s) of a code: this one, the one before or after; None when it fits none of them."""
    code = "".join(code.split())
    if len(code) != _DIGITS or not code.isascii() or not code.isdigit():
        return None
    try:
        base64.b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error:
        return None
    here, totp = int(now.timestamp()) // _STEP_S, pyotp.TOTP(secret)
    fitting = [s for s in (here - 1, here, here + 1) if hmac.compare_digest(totp.generate_otp(s), code)]
    return fitting[-1] if fitting else None
