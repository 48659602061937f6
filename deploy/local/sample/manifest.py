"""What the sample city enters, and the faults that it holds on purpose, written down before anything is loaded.

Which villages have one, and what an inspector must see in the end; told as facts, not as rules. A late review (D03)
cannot be planted: three working days have to pass while something waits, and nothing is left waiting here.
"""

import copy
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from deploy.local.home import write_json
from deploy.local.sample.items import body_of
from deploy.local.sample.ledgers import SEED, ledger, months_before
from deploy.local.sample.registry import PILOT, Village

MANIFEST_FILE: Final = "fault-manifest.json"
ITEM: Final = "F01"
LABOUR: Final = "F09"
#: Beside the month's ledger every village opens two rosters and a notice.
_EVERYBODY: Final = (LABOUR, "V09", "V16")
#: How many villages of the whole city, and of the pilot township, get each fault.
WRONG_TOTALS: Final = 6
WRONG_CLOSINGS: Final = 6
WRONG_OPENINGS: Final = 2
NEVER_OPENED: Final = 2
#: The village whose page shows every item of the catalogue.
SHOWCASE: Final = "210881006206"
_QUARTERLY: Final = ("P04", "P05", "V03", "V06", "V09", "V16", "V17", "F02", "F04", "F10")
#: Items of a community that villages alone have (catalogue, column `applies`).
_VILLAGE_ONLY: Final = frozenset({"V06", "V07", "F07", "F11"})
_HALF_YEARLY: Final = ("P03", "F05")
_THIS_YEAR: Final = ("P01", "P08", "V11", "V13", "F03")
_LAST_YEAR: Final = ("P06", "P07", "V14")
_ON_EVENT: Final = (
    *("P02", "V01", "V02", "V04", "V05", "V07", "V08", "V10", "V12", "V15", "V18"),
    *("F06", "F07", "F08", "F11"),
)
Way = Literal["clerk", "nil", "self"]


class Planted(NamedTuple):
    """One fault: the rule that must tell it, and the subject."""

    rule: str
    village: str
    item: str
    period: str
    account: str | None = None


class Entry(NamedTuple):
    """One disclosure to enter. `way`: by the clerk, by one tap for nothing, or by the reviewer who also approves.

    `correction`: what happens after it is public: figures are changed with a note, or without one.
    """

    village: Village
    item: str
    period: str
    way: Way = "clerk"
    correction: Literal["noted", "silent"] | None = None


class Waived(NamedTuple):
    """A cell that is not opened, with the reason that villagers read."""

    village: Village
    item: str
    period: str
    reason: str


class Declared(NamedTuple):
    """A quarter's yes/no page; `days` by on-event item, all others did not happen."""

    village: Village
    quarter: str
    days: tuple[tuple[str, str], ...]


class Plan(NamedTuple):
    """Everything that is entered and what is wrong with it; `first` is the month in which ledgers begin."""

    entries: tuple[Entry, ...]
    planted: tuple[Planted, ...]
    first: str
    last: str
    waived: tuple[Waived, ...]
    declared: tuple[Declared, ...]


def quarter_of(month: str) -> str:
    """The newest quarter that was over before a month began: 2026-11 -> 2026Q3."""
    year, number = map(int, month.split("-"))
    quarter = (number - 1) // 3
    return f"{year}Q{quarter}" if quarter else f"{year - 1}Q4"


def make_plan(everybody: Sequence[Village], period: str) -> Plan:
    """Every village enters `period` and two rosters and a notice; the pilot township everything that it owes."""
    order = sorted(everybody, key=lambda v: hashlib.sha256(f"{SEED}:{v.code}".encode()).digest())
    pilot = [v for v in order if v.township == PILOT]
    others = [v for v in order if v.township != PILOT] or pilot[WRONG_OPENINGS + NEVER_OPENED :]
    last, first = months_before(period, 1), months_before(period, 2)
    late = pilot[WRONG_OPENINGS : WRONG_OPENINGS + NEVER_OPENED]
    totals = others[:WRONG_TOTALS] if len(others) > WRONG_TOTALS + WRONG_CLOSINGS else others[:1]
    closings = others[len(totals) : len(totals) + (WRONG_CLOSINGS if len(totals) > 1 else 1)]
    silent, blind, alone = pilot[5], pilot[6], pilot[7]
    planted = (
        *(Planted("A01", v.code, ITEM, period) for v in totals),
        *(Planted("A02", v.code, ITEM, period, "bank") for v in pilot[:WRONG_OPENINGS]),
        *(Planted("A03", v.code, ITEM, period, "cash") for v in closings),
        *(Planted("D01", v.code, ITEM, last) for v in late),
        *(Planted("D01", blind.code, LABOUR, p) for p in (last, period)),
        Planted("D02", blind.code, LABOUR, period),
        Planted("D07", silent.code, ITEM, last),
        Planted("D10", alone.code, LABOUR, last),
    )
    skipped = {(p.village, p.item, p.period) for p in planted if p.rule == "D01"}
    waived = _waivers(pilot, quarter_of(months_before(period, -1)))
    skipped |= {(w.village.code, w.item, w.period) for w in waived}
    entries = (e for v in sorted(everybody) for e in _entries(v, pilot, (first, last, period)))
    return Plan(
        entries=tuple(e for e in entries if (e.village.code, e.item, e.period) not in skipped),
        planted=planted,
        first=first,
        last=period,
        waived=waived,
        declared=_declarations(pilot, quarter_of(months_before(period, -1))),
    )


def _entries(village: Village, pilot: Sequence[Village], months: tuple[str, str, str]) -> Iterator[Entry]:
    first, last, period = months
    quarter = quarter_of(months_before(period, -1))
    if village.township != PILOT:
        yield Entry(village, ITEM, period)
        yield from (Entry(village, item, period if item == LABOUR else quarter) for item in _EVERYBODY)
        return
    place = pilot.index(village)
    corrections: dict[int, Literal["noted", "silent"]] = {4: "noted", 5: "silent"}
    yield Entry(village, ITEM, first)
    yield Entry(village, ITEM, last, correction=corrections.get(place))
    yield Entry(village, ITEM, period, "nil" if place == 8 else "clerk")  # noqa: PLR2004 - the ninth village of the pilot
    yield Entry(village, LABOUR, last, "self" if place == 7 else "clerk")  # noqa: PLR2004 - the eighth
    yield Entry(village, LABOUR, period, "nil" if place == 8 else "clerk")  # noqa: PLR2004 - the ninth
    is_community = village.name.endswith(("社区", "居委会"))
    yield from (Entry(village, i, quarter) for i in _QUARTERLY if not (is_community and i in _VILLAGE_ONLY))
    if village.code == SHOWCASE:
        yield from _showcase(village, period)


def _showcase(village: Village, period: str) -> Iterator[Entry]:
    """Everything else that the catalogue names: half-years, years, and one event each."""
    year = int(period[:4])
    half = f"{year}H1" if period[5:] > "06" else f"{year - 1}H2"
    yield from (Entry(village, item, half) for item in _HALF_YEARLY)
    yield from (Entry(village, item, str(year)) for item in _THIS_YEAR)
    yield from (Entry(village, item, str(year - 1)) for item in _LAST_YEAR)
    yield from (Entry(village, item, f"{period}-{day:02}") for day, item in enumerate(_ON_EVENT, start=8))


def _waivers(pilot: Sequence[Village], quarter: str) -> tuple[Waived, ...]:
    return (
        Waived(pilot[0], "F10", quarter, "本村没有集体发包和出租的资产、资源，本季度没有承包费和租金。"),
        Waived(pilot[1], "V17", quarter, "保障名单由镇街统一核对，核对完成前暂不公开，已报镇街备案。"),
    )


def _declarations(pilot: Sequence[Village], quarter: str) -> tuple[Declared, ...]:
    """All villages of the pilot but the last answer for the quarter: nothing of the kind happened."""
    return tuple(Declared(v, quarter, ()) for v in pilot[:-1])


def content_of(plan: Plan, entry: Entry) -> dict[str, Any]:
    """What is entered, with the planted fault in it."""
    village, period = entry.village.code, entry.period
    if entry.item != ITEM:
        return body_of(entry.item, village, period)
    body = ledger(village, period, plan.first)
    for fault in plan.planted:
        if (fault.village, fault.item, fault.period) == (village, ITEM, period):
            _plant(body, fault)
    return body


def _plant(body: dict[str, Any], fault: Planted) -> None:
    match fault.rule:
        case "A01":
            # A line of 86.00 yuan was forgotten in the total.
            body["totals"]["expense_fen"] -= 8_600
        case "A02":
            # The bank account opens 500.00 yuan short; the month itself adds up.
            account = next(a for a in body["accounts"] if a["account"] == fault.account)
            account["opening_fen"] -= 50_000
            account["closing_fen"] -= 50_000
        case "A03":
            # The till was counted 12.50 yuan too low.
            account = next(a for a in body["accounts"] if a["account"] == fault.account)
            account["closing_fen"] -= 1_250
        case _:
            pass


def corrected(body: dict[str, Any]) -> dict[str, Any]:
    """The body with two lines of one account put right: one 10.00 yuan more, another as much less."""
    made = copy.deepcopy(body)
    spent = [x for x in made["lines"] if x["direction"] == "out" and x["account"] == "bank"]
    spent[0]["amount_fen"] += 1_000
    spent[1]["amount_fen"] -= 1_000
    return made


def write_manifest(home: Path, plan: Plan) -> None:
    """Write the manifest; done before the first entry."""
    faults = [fault._asdict() for fault in plan.planted]
    counts = {"entries": len(plan.entries), "waivers": len(plan.waived), "declarations": len(plan.declared)}
    write_json(home / MANIFEST_FILE, {"seed": SEED, **counts, "faults": faults})
