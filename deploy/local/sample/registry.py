"""Who lives and works in the sample city: the registry's files, a staff file with generated passwords, the import."""

import asyncio
import csv
import hashlib
import io
import random
import secrets
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import pyotp
from services.contracts.days import SHANGHAI

from deploy.local.faults import Fault
from deploy.local.home import write_text
from deploy.local.info import StackInfo
from deploy.local.sample.people import SEED

DATA: Final = Path(__file__).parents[2] / "data"
CITY: Final = "210881"
CITY_NAME: Final = "盖州市"
#: The township that shows everything; three of its villages went live two months before all others.
PILOT: Final = "210881006"
#: The village whose page shows every item of the catalogue.
SHOWCASE: Final = "210881006206"
#: Places in the pilot's order: two villages that never opened a month, one that is blind to an item.
LATE: Final = (2, 3)
BLIND: Final = 6
_SHOWCASE_PLACE: Final = 4
DELEGATION: Final = "西海街道〔2026〕12号"
STAFF_FILE: Final = "staff.csv"
AFFAIRS: Final = ("party", "village", "finance")
#: Roles that nobody can sign in to without a second factor.
TOTP_ROLES: Final = frozenset({"inspector", "operator", "reviewer", "accountant"})


class Village(NamedTuple):
    """A row of the registry file that can have a ledger."""

    code: str
    name: str
    township: str


class Account(NamedTuple):
    """A row of the staff file."""

    username: str
    password: str
    totp_secret: str
    role: str
    scope: str
    name: str = ""
    affairs: str = ""
    delegation: str = ""


class Wanted(NamedTuple):
    """An account that the sample is to have."""

    username: str
    role: str
    scope: str
    affairs: str = ""
    delegation: str = ""


def division_rows(sample: str) -> list[dict[str, str]]:
    """The registry file's rows; `small` keeps the pilot township alone."""
    text = (DATA / "gaizhou-villages.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    return [r for r in rows if r["township_code"] == PILOT] if sample == "small" else rows


def villages(rows: list[dict[str, str]]) -> list[Village]:
    """Villages and communities, without the placeholders of development zones."""
    return [Village(r["code"], r["name"], r["township_code"]) for r in rows if r["kind"] != "zone"]


def in_order(found: Iterable[Village]) -> list[Village]:
    """Villages in the order in which the sample gives out its faults: by dice, the showcase at a place without one."""
    ordered = sorted(found, key=lambda v: hashlib.sha256(f"{SEED}:{v.code}".encode()).digest())
    shown = [v for v in ordered if v.code == SHOWCASE]
    rest = [v for v in ordered if v.code != SHOWCASE]
    return [*rest[:_SHOWCASE_PLACE], *shown, *rest[_SHOWCASE_PLACE:]]


def _early(rows: list[dict[str, str]]) -> list[Village]:
    """The villages of the pilot that have had duties for two months: only they can be late on the first day."""
    pilot = in_order(v for v in villages(rows) if v.township == PILOT)
    return [pilot[n] for n in (*LATE, BLIND)]


def _accounts(rows: list[dict[str, str]], sample: str) -> Iterator[Wanted]:
    yield Wanted("operator", "operator", CITY)
    if sample == "none":
        return
    yield Wanted(f"inspector-{CITY}", "inspector", CITY)
    for affair in AFFAIRS:
        yield Wanted(f"department-{CITY}-{affair}", "department", CITY, affair)
    for township in sorted({r["township_code"] for r in rows}):
        # The pilot township has one person for it: the paper lets that person enter and approve, and D10 shows it.
        yield Wanted(f"reviewer-{township}", "reviewer", township, delegation=DELEGATION if township == PILOT else "")
        for role in ("accountant", "inspector"):
            yield Wanted(f"{role}-{township}", role, township)
    for village in villages(rows):
        for role in ("clerk", "supervisor", "principal"):
            yield Wanted(f"{role}-{village.code}", role, village.code)
        if village.township == PILOT:
            yield Wanted(f"supervisor-{village.code}-2", "supervisor", village.code)


def read_staff(home: Path) -> dict[str, Account]:
    """The accounts of the staff file by username; empty before the first start."""
    file = home / STAFF_FILE
    if not file.exists():
        return {}
    rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    return {r["username"]: Account(**r) for r in rows}


def _person(username: str) -> str:
    """A made-up name, always the same for an account."""
    dice = random.Random(username)  # noqa: S311 - made-up names
    return dice.choice("王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗") + "".join(
        dice.sample("国建志文德永春福海玉秀兰军勇", 2)
    )


def _account(wanted: Wanted, known: Account | None) -> Account:
    """An account as it was, with the second factor that its role needs by now."""
    account = known or Account(
        wanted.username,
        secrets.token_urlsafe(12),
        "",
        wanted.role,
        wanted.scope,
        name=_person(wanted.username),
        affairs=wanted.affairs,
    )
    account = account._replace(delegation=wanted.delegation)
    if wanted.role in TOTP_ROLES and not account.totp_secret:
        return account._replace(totp_secret=pyotp.random_base32())
    return account


def _write_staff(home: Path, rows: list[dict[str, str]], sample: str) -> None:
    known = read_staff(home)
    wanted = [_account(w, known.get(w.username)) for w in _accounts(rows, sample)]
    if all(known.get(a.username) == a for a in wanted):
        return
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Account._fields)
    writer.writerows(wanted)
    write_text(home / STAFF_FILE, out.getvalue(), mode=0o600)


def _two_months_before(day: date) -> date:
    year, month = divmod(day.year * 12 + day.month - 3, 12)
    return date(year, month + 1, min(day.day, 28))


async def seed(info: StackInfo, sample: str) -> None:
    """Write the staff file and let the registry read everything; a second time, before anybody worked, changes nothing."""
    rows = division_rows(sample)
    _write_staff(info.home, rows, sample)
    divisions = DATA / "gaizhou-villages.csv"
    if sample == "small":
        divisions = info.home / "run" / "divisions.csv"
        lines = [",".join(rows[0]), *(",".join(r.values()) for r in rows)]
        write_text(divisions, "\n".join(lines) + "\n")
    today = datetime.now(SHANGHAI).date()
    # Ten days before today: what is due from today on counts, and what is loaded today is in time or from before.
    starts = {PILOT: today - timedelta(days=10), **{v.code: _two_months_before(today) for v in _early(rows)}}
    pilot = [w for code, day in starts.items() for w in ("--duties-from", f"{code}={day}")]
    await _import(
        info,
        [
            *("--city", f"{CITY}:{CITY_NAME}", "--divisions", str(divisions)),
            *("--catalogue", str(DATA / "catalogue.csv"), "--staff", str(info.home / STAFF_FILE)),
            *("--duties-from", f"{CITY}={today}"),
            *(("--sample", *pilot) if sample != "none" else ()),
        ],
    )


async def renew(info: StackInfo) -> None:
    """Let a registry that is in use learn the calendars announced since. Everything else in it belongs to its people."""
    await _import(info, ["--city", f"{CITY}:{CITY_NAME}"])


async def _import(info: StackInfo, arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.registry", "import", *arguments),
        env=info.environment("registry"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    if process.returncode:
        sentence = told.decode().strip() or f"status {process.returncode}"
        message = f"The registry did not take its files: {sentence}"
        raise Fault(message)
