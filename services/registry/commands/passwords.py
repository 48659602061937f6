"""Passwords: hashed (argon2id) beside the event loop, made up for one time, and what may be somebody's own."""

import asyncio
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

import argon2
from zxcvbn import zxcvbn

from services.kit.db import outside_transaction
from services.kit.errors import Fault, InvalidInputError
from services.registry.bulk.staff import SHORTEST_PASSWORD
from services.registry.memory import Queue

# How characters sound in phrases takes 45 MB, and names are no phrases; the package looks when it is imported.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # noqa: TID251 - no setting of ours
from pypinyin import lazy_pinyin

Done = TypeVar("Done")
_AT_ONCE: Final = 2
#: OWASP's second choice of parameters: 19 MiB, two passes, one lane.
HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Each hash takes 19 MiB and a core: a crowd that signs in waits for its turns, and the memory stays bounded.
_HASHING: Final = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="argon2")
#: One at a time: zxcvbn keeps the words of whoever asks in a place that is common to all.
_JUDGING: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zxcvbn")
_TURNS: Final = Queue(_AT_ONCE)
#: Checked when the name is unknown, so that the time of the answer does not tell.
NOBODY: Final = HASHER.hash(secrets.token_urlsafe(16))
LONGEST_PASSWORD: Final = 200
#: A password is judged by so many of its characters: what zxcvbn needs grows quickly with them (24: 0.4 s at worst).
_JUDGED: Final = 24
#: Guesses that a password of one's own must withstand, as zxcvbn counts them: between its third and its best mark.
_FEWEST_GUESSES: Final = 10**9
#: What people here try first and no list from abroad has: the names of this site and of what is done on it, love and luck.
_WORDS_HERE: Final = (
    *("sanwu", "yangguang", "ygsw", "sanwugongkai", "dangwu", "cunwu", "caiwu", "gongkai", "nongcun", "zhongguo"),
    *("woaini", "woaini1314", "1314520", "5201314", "admin", "mima", "denglu", "kuaiji", "baozhang"),
)
#: What names of places end with, which people leave out.
_ENDS_OF_PLACES: Final = re.compile(
    r"(村民委员会|社区居民委员会|村委会|居委会|街道办事处|街道|社区|省|市|县|区|镇|乡|村)$"
)
_WHAT_TO_DO: Final = (
    "请用几个互不相干的词连成一句，如三种东西加一个地方，不要用常见密码、键盘上连着的键、姓名、地名、用户名和年份"
)


class OneTime(NamedTuple):
    """A password to be told once and changed at the first sign-in, and its hash."""

    password: str
    hash: str


#: Who waits for accounts that operators open and reset: all of them one after the other.
_ACCOUNTS: Final = "accounts"


async def _in_turn(who: str, thread: ThreadPoolExecutor, work: Callable[..., Done], *given: object) -> Done:
    outside_transaction("work on a password")
    async with _TURNS.turn(who):
        return await asyncio.get_running_loop().run_in_executor(thread, work, *given)


async def hash_password(password: str, who: str = _ACCOUNTS) -> str:
    """A password's hash: 20 ms, longer when many wait; `who` takes turns with others."""
    return await _in_turn(who, _HASHING, HASHER.hash, password)


async def is_right(stored: str, password: str, who: str) -> bool:
    """Tell whether a password fits a hash; as slow as hashing. `who` takes turns with others."""
    return await _in_turn(who, _HASHING, _verify, stored, password)


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


async def hash_new_password(new: str, old: str, username: str, about: Sequence[str], who: str) -> str:
    """The hash of a password that somebody chose; InvalidInputError unless it may be theirs.

    `about`: their name and places, which others know and try.
    """
    if len(new) < SHORTEST_PASSWORD:
        raise InvalidInputError(faults=[Fault("new_password", f"新密码至少 {SHORTEST_PASSWORD} 个字符")])
    if len(new) > LONGEST_PASSWORD:
        raise InvalidInputError(faults=[Fault("new_password", f"新密码最多 {LONGEST_PASSWORD} 个字符")])
    if new == old:
        raise InvalidInputError(faults=[Fault("new_password", "新密码不能与原密码相同")])
    if username in new:
        raise InvalidInputError(faults=[Fault("new_password", "新密码不能含有用户名")])
    if not await _in_turn(who, _JUDGING, _withstands, new, (username, *about)):
        raise InvalidInputError(faults=[Fault("new_password", f"这个新密码太容易被猜到。{_WHAT_TO_DO}")])
    return await hash_password(new, who)


def _withstands(password: str, about: Sequence[str]) -> bool:
    judged = zxcvbn(password[:_JUDGED], [*_WORDS_HERE, *_words_of(about)])
    return bool(judged["guesses"] >= _FEWEST_GUESSES)


def _words_of(about: Iterable[str]) -> Iterator[str]:
    """Names as people type them into a password: whole and in parts, in characters and in pinyin."""
    for text in about:
        short = _ENDS_OF_PLACES.sub("", text)
        for name in dict.fromkeys((text, short, *re.split(r"[^\w]+|_", text))):
            pinyin = lazy_pinyin(name)
            forms = (name, "".join(pinyin), "".join(p[:1] for p in pinyin))
            # A single letter or digit would say of every password that it holds a known word.
            yield from (form.lower() for form in forms if len(form) > 1)
