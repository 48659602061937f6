"""Passwords (argon2id), one-time passwords and the second factor (RFC 6238), without the database."""

import asyncio
import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

import argon2
import pyotp
import uuid_utils.compat

from services.contracts.base import Role
from services.kit.errors import Fault, InvalidInputError
from services.registry import store
from services.registry.bulk.staff import SHORTEST_PASSWORD, StaffRow

#: OWASP's second choice of parameters: 19 MiB, two passes, one lane.
HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Each hash takes 19 MiB and a core: a crowd that signs in waits here, and the memory stays bounded.
_HASHING: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
#: Checked when the name is unknown, so that the time of the answer does not tell.
NOBODY: Final = HASHER.hash(secrets.token_urlsafe(16))
#: Who needs a second factor, always.
TOTP_ROLES: Final = frozenset({Role.INSPECTOR, Role.OPERATOR, Role.REVIEWER, Role.ACCOUNTANT})
LONGEST_PASSWORD: Final = 200
_STEP_S: Final = 30
_DIGITS: Final = 6


async def hash_passwords(rows: Sequence[StaffRow]) -> list[store.Credential]:
    """Hash many passwords beside the event loop, about 20 ms each."""
    hashes = await asyncio.gather(*(hashed(r.password) for r in rows))
    return [
        store.Credential(new_id(), row.username, secret, totp_secret=row.totp_secret)
        for row, secret in zip(rows, hashes, strict=True)
    ]


def new_id() -> str:
    """A new account's opaque id."""
    return str(uuid_utils.compat.uuid7())


async def hashed(password: str) -> str:
    """A password's hash."""
    return await asyncio.get_running_loop().run_in_executor(_HASHING, HASHER.hash, password)


async def is_right(stored: str, password: str) -> bool:
    """Tell whether a password fits a hash."""
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _verify, stored, password)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except argon2.exceptions.VerifyMismatchError:
        return False


def one_time_password() -> str:
    """A password to be told once and changed at the first sign-in."""
    return secrets.token_urlsafe(12)


async def one_time() -> tuple[str, str]:
    """A password to be told once, and its hash."""
    password = one_time_password()
    return password, await hashed(password)


def new_secret() -> str:
    """A second factor's secret: 160 bits, base32."""
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


def check_new_password(new: str, old: str, username: str) -> None:
    """InvalidInputError unless a password may be somebody's own."""
    if len(new) < SHORTEST_PASSWORD:
        raise InvalidInputError(faults=[Fault("new_password", f"新密码至少 {SHORTEST_PASSWORD} 个字符")])
    if len(new) > LONGEST_PASSWORD:
        raise InvalidInputError(faults=[Fault("new_password", f"新密码最多 {LONGEST_PASSWORD} 个字符")])
    if new == old:
        raise InvalidInputError(faults=[Fault("new_password", "新密码不能与原密码相同")])
    if username in new or len(set(new)) < _DIGITS:
        raise InvalidInputError(faults=[Fault("new_password", "新密码不能含有用户名，也不能只由少数几个字符组成")])
