"""Spreadsheets broken at random, by hand: `python -m tests.ingest.fuzz --seconds 600 --seed 1`.

Each file is one of `spreadsheets/` or made here, with bytes turned over, cut out, doubled, or cells exchanged. It is read in a process of its own
with the limits of the real one, and understood with random answers. A traceback, a hang or a wrong sentence ends with the seed of the file; a
process that its limits end is counted, as the real one's is told to its sender.
"""

import argparse
import json
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from services.ingest.workbooks.plan import ACCOUNT_CHOICES, Answers, Office, compose, understand
from services.ingest.workbooks.reading import answer
from services.ingest.workbooks.words import ROLES
from services.ingest.workbooks.workbook import loaded
from tests.ingest.test_workbooks import BACK, BOOK, FRONT, ITEMS, SPREADSHEET_XML, TODAY

FILES: Final = Path(__file__).parent / "spreadsheets"
#: Of address space, with what the tests' own packages take; of a processor.
_MIB: Final = 1200
_SECONDS: Final = 13.0
_SIGNS: Final = "0123456789.,-年月日元万收支借贷合计上期结转村〃\"'|\t\n\r;√N（）%=@￥E+ \u3000"


def _turned(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 3, 20))):
        data[dice.randrange(len(data))] = dice.randrange(256)


def _cut(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    del data[at : at + dice.choice((1, 50, len(data)))]


def _doubled(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    data[at:at] = data[at : at + dice.choice((10, 400))] * dice.choice((1, 30))


def _written(data: bytearray, dice: random.Random) -> None:
    """Signs that mean something, put in anywhere."""
    for _ in range(dice.choice((1, 5, 30))):
        at = dice.randrange(len(data) + 1)
        data[at:at] = "".join(dice.choices(_SIGNS, k=dice.choice((1, 2, 6)))).encode(dice.choice(("utf-8", "gb18030")))


_WAYS: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (_turned, _cut, _doubled, _written, _written)


def broken(seed: int) -> bytes:
    """The file of a seed."""
    dice = random.Random(seed)  # noqa: S311 - the same file for the same seed
    made = [BOOK.encode(), BOOK.encode("gb18030"), BOOK.encode("utf-16"), SPREADSHEET_XML.encode()]
    files = [*made, *(p.read_bytes() for p in sorted(FILES.iterdir()) if p.suffix != ".md")]
    data = bytearray(dice.choice(files))
    for _ in range(dice.choice((0, 1, 2, 4))):
        if data:
            dice.choice(_WAYS)(data, dice)
    return bytes(data)


def understand_any(written: bytes, seed: int) -> str:
    """Understand what was read, with answers at random; returns what became of it."""
    dice = random.Random(seed)  # noqa: S311 - the same answers for the same seed
    columns = {f"|{dice.randrange(3)}|{dice.randrange(9)}": dice.choice(list(ROLES)) for _ in range(dice.randrange(4))}
    answers = Answers(
        item=dice.choice(("", *(i.code for i in ITEMS), "X99")),
        village=dice.choice(("", FRONT.code, "nobody")),
        period=dice.choice(("", "2026-10", "2026H2", "2026-11-05")),
        account=dice.choice(("", *(code for code, _ in ACCOUNT_CHOICES))),
        year=dice.choice(("", "2026")),
        unit=dice.choice(("", "元", "万元")),
        columns=columns,
    )
    office = Office(ITEMS, dice.choice(((FRONT,), (FRONT, BACK))), {}, TODAY, (BACK,))
    plan = compose(understand(loaded(written), "账.xlsx", answers, office), {})
    if any("\n" in f.words for f in plan.faults):
        message = "a sentence of two lines"
        raise ValueError(message)
    return "ready" if plan.ready else "asked" if plan.questions else "faults" if plan.faults else "nothing"


def _limit() -> None:
    """Memory and processor time as the limited process has them; what runs over its time is killed."""
    resource.setrlimit(resource.RLIMIT_AS, (_MIB * 1024 * 1024, _MIB * 1024 * 1024))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def try_file(seed: int) -> str:
    """Read and understand one file; returns what became of it."""
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    written = answer(broken(seed))
    if written.startswith(b'{"unreadable"'):
        told = str(json.loads(written)["unreadable"])
        if not told.endswith("。"):
            raise ValueError(told)
        return "unreadable"
    return understand_any(written, seed)


def tried(pool: ProcessPoolExecutor, seed: int) -> str:
    """The same in another process; one that its limits end is told to its sender, and counted here."""
    try:
        return pool.submit(try_file, seed).result(timeout=600)
    except MemoryError:
        return "over limit"


def main() -> int:
    """Try files until the time is over; tell how many became what."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    ends, seed, found = time.monotonic() + given.seconds, given.seed, Counter[str]()
    slowest = 0.0
    pool = ProcessPoolExecutor(1, initializer=_limit)
    while time.monotonic() < ends:
        began = time.monotonic()
        try:
            found[tried(pool, seed)] += 1
        except BrokenProcessPool:
            found["over limit"] += 1
            sys.stderr.write(f"over limit: seed {seed}\n")
            pool = ProcessPoolExecutor(1, initializer=_limit)
        except Exception:
            sys.stderr.write(f"seed {seed}\n")
            raise
        slowest = max(slowest, time.monotonic() - began)
        seed += 1
    pool.shutdown()
    sys.stdout.write(f"{sum(found.values())} files, slowest {slowest:.1f} s: {dict(found)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
