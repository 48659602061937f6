"""Passwords: hashed (argon2id) beside the event loop, made up for one time, and what may be somebody's own."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import argon2

from services.kit.db import outside_transaction
from services.kit.errors import Fault, InvalidInputError
from services.registry.bulk.staff import SHORTEST_PASSWORD

#: OWASP's second choice of parameters: 19 MiB, two passes, one lane.
HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Each hash takes 19 MiB and a core: a crowd that signs in waits here, and the memory stays bounded.
_HASHING: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
#: Checked when the name is unknown, so that the time of the answer does not tell.
NOBODY: Final = HASHER.hash(secrets.token_urlsafe(16))
LONGEST_PASSWORD: Final = 200
_FEWEST_CHARACTERS: Final = 6


class OneTime(NamedTuple):
    """A password to be told once and changed at the first sign-in, and its hash."""

    password: str
    hash: str


async def hash_password(password: str) -> str:
    """A password's hash: 20 ms, longer when many wait."""
    outside_transaction("hashing a password")
    return await asyncio.get_running_loop().run_in_executor(_HASHING, HASHER.hash, password)


async def is_right(stored: str, password: str) -> bool:
    """Tell whether a password fits a hash; as slow as hashing."""
    outside_transaction("checking a password")
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _verify, stored, password)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except argon2.exceptions.VerifyMismatchError:
        return False


def one_time_password() -> str:
    """A random password, to be told once and changed at the first sign-in."""
    return secrets.token_urlsafe(12)


async def make_one_time() -> OneTime:
    """Make up a password for one time and hash it."""
    password = one_time_password()
    return OneTime(password, await hash_password(password))


def check_new_password(new: str, old: str, username: str) -> None:
    """InvalidInputError unless a password may be somebody's own."""
    if len(new) < SHORTEST_PASSWORD:
        raise InvalidInputError(faults=[Fault("new_password", f"新密码至少 {SHORTEST_PASSWORD} 个字符")])
    if len(new) > LONGEST_PASSWORD:
        raise InvalidInputError(faults=[Fault("new_password", f"新密码最多 {LONGEST_PASSWORD} 个字符")])
    if new == old:
        raise InvalidInputError(faults=[Fault("new_password", "新密码不能与原密码相同")])
    if username in new or len(set(new)) < _FEWEST_CHARACTERS:
        raise InvalidInputError(faults=[Fault("new_password", "新密码不能含有用户名，也不能只由少数几个字符组成")])
