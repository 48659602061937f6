"""What the sample city enters, and the faults that it holds on purpose, written down before anything is loaded.

Which villages have one, and what an inspector must see in the end; told as facts, not as rules. A late review (D03)
cannot be planted: three working days have to pass while something waits, and nothing is left waiting here.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from services.contracts.values import period_bounds

from deploy.local.home import write_json
from deploy.local.sample import items
from deploy.local.sample.items import body_of
from deploy.local.sample.ledgers import Extra, Extras, ledger, months_before
from deploy.local.sample.people import SEED
from deploy.local.sample.registry import BLIND, LATE, PILOT, SHOWCASE, Village, in_order
from deploy.local.sample.tables import RENT_FEN, TENANT

MANIFEST_FILE: Final = "fault-manifest.json"
ITEM: Final = "F01"
LABOUR: Final = "F09"
#: Beside the month's ledger every village opens two rosters and a notice.
_EVERYBODY: Final = (LABOUR, "V09", "V16")
#: How many villages of the whole city, and of the pilot township, get each fault.
WRONG_TOTALS: Final = 6
WRONG_CLOSINGS: Final = 6
WRONG_OPENINGS: Final = 2
NEVER_OPENED: Final = len(LATE)
#: Months of ledgers of the showcase before the newest: three years in a whole city, so that years compare; in a single
#: township as many as everybody has.
SHOWCASE_MONTHS: Final = 36
_SHOWCASE_MONTHS_SMALL: Final = 2
_QUARTERLY: Final = ("P04", "P05", "V03", "V06", "V09", "V16", "V17", "F02", "F04", "F10")
#: Items of a community that villages alone have (catalogue, column `applies`).
_VILLAGE_ONLY: Final = frozenset({"V06", "V07", "F07", "F11"})
_HALF_YEARLY: Final = ("P03", "F05")
_THIS_YEAR: Final = ("P01", "P08", "V11", "V13", "F03")
_LAST_YEAR: Final = ("P06", "P07", "V14")
#: Events of the showcase: how many months before the newest ledger, and the day. The road is decided (V02), then let,
#: built and accepted (V08); the shop is let (V10) after the same decision.
_ON_EVENT: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "P02": (1, 9),
        "V01": (3, 8),
        "V02": (6, 10),
        "V04": (1, 18),
        "V05": (4, 20),
        "V07": (7, 15),
        "V08": (2, 12),
        "V10": (5, 1),
        "V12": (0, 12),
        "V15": (9, 6),
        "V18": (8, 22),
        "F06": (10, 26),
        "F07": (4, 9),
        "F08": (3, 25),
        "F11": (6, 21),
    }
)
#: One that was entered twice and withdrawn.
_TWICE: Final = ("V05", (5, 16))
Way = Literal["clerk", "nil", "self"]
Stop = Literal["draft", "submitted", "confirmed", "returned"]


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
    #: One supervisor does not agree and says why; another one does.
    dissent: str | None = None
    #: Pictures: beside the whole, or of its first vouchers.
    pictures: Literal["whole", "vouchers"] | None = None
    #: Taken back after it was public, for this reason.
    withdrawn: str | None = None
    #: Left under way at a step, as on any day in a village.
    stop: Stop | None = None


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
    """Everything that is entered and what is wrong with it; `first` is the month in which ledgers begin.

    `aside`: what is withdrawn again or stays under way; it is never counted among what is public.
    """

    entries: tuple[Entry, ...]
    planted: tuple[Planted, ...]
    first: Mapping[str, str]
    last: str
    waived: tuple[Waived, ...]
    declared: tuple[Declared, ...]
    aside: tuple[Entry, ...]
    extras: Mapping[str, Extras]


def quarter_of(month: str) -> str:
    """The newest quarter that was over before a month began: 2026-11 -> 2026Q3."""
    year, number = map(int, month.split("-"))
    quarter = (number - 1) // 3
    return f"{year}Q{quarter}" if quarter else f"{year - 1}Q4"


def make_plan(everybody: Sequence[Village], period: str, today: date | None = None) -> Plan:
    """Every village enters `period` and two rosters and a notice; the pilot township everything that it owes."""
    pilot = in_order(v for v in everybody if v.township == PILOT)
    others = in_order(v for v in everybody if v.township != PILOT)
    whole = bool(others)
    others = others or pilot[WRONG_OPENINGS + NEVER_OPENED + 1 :]
    last, first = months_before(period, 1), months_before(period, 2)
    quarter = quarter_of(months_before(period, -1))
    late, blind, silent, alone = [pilot[n] for n in LATE], pilot[BLIND], pilot[5], pilot[7]
    totals = others[:WRONG_TOTALS] if whole else others[:1]
    closings = others[len(totals) : len(totals) + (WRONG_CLOSINGS if whole else 1)]
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
    waived = _waivers(pilot, quarter)
    skipped |= {(w.village.code, w.item, w.period) for w in waived}
    begins = months_before(period, SHOWCASE_MONTHS if whole else _SHOWCASE_MONTHS_SMALL)
    made = (e for v in sorted(everybody) for e in _entries(v, pilot, (begins, first, last, period)))
    entries = tuple(e for e in made if (e.village.code, e.item, e.period) not in skipped)
    return Plan(
        entries=entries,
        planted=planted,
        first={v.code: begins if v.code == SHOWCASE else first for v in everybody},
        last=period,
        waived=waived,
        declared=_declarations(pilot, quarter, entries),
        aside=tuple(_aside(pilot, period, today or date.fromisoformat(f"{months_before(period, -1)}-20"))),
        extras={v.code: _extras(v, entries, period) for v in everybody},
    )


def _entries(village: Village, pilot: Sequence[Village], months: tuple[str, str, str, str]) -> Iterator[Entry]:
    begins, first, last, period = months
    quarter = quarter_of(months_before(period, -1))
    if village.township != PILOT:
        yield Entry(village, ITEM, period)
        yield from (Entry(village, item, period if item == LABOUR else quarter) for item in _EVERYBODY)
        return
    place = pilot.index(village)
    corrections: dict[int, Literal["noted", "silent"]] = {4: "noted", 5: "silent"}
    if village.code == SHOWCASE:
        yield from (Entry(village, ITEM, month) for month in _months(begins, months_before(first, 1)))
    yield Entry(village, ITEM, first)
    yield Entry(village, ITEM, last, correction=corrections.get(place))
    newest = Entry(village, ITEM, period, "nil" if place == 8 else "clerk")  # noqa: PLR2004 - the ninth village of the pilot
    yield newest._replace(pictures="vouchers") if village.code == SHOWCASE else newest
    yield Entry(village, LABOUR, last, "self" if place == 7 else "clerk")  # noqa: PLR2004 - the eighth
    yield Entry(village, LABOUR, period, "nil" if place == 8 else "clerk")  # noqa: PLR2004 - the ninth
    is_community = village.name.endswith(("社区", "居委会"))
    yield from (Entry(village, i, quarter) for i in _QUARTERLY if not (is_community and i in _VILLAGE_ONLY))
    if village.code == SHOWCASE:
        yield from _showcase(village, period)


def _months(first: str, last: str) -> Iterator[str]:
    while first <= last:
        yield first
        first = months_before(first, -1)


def _event_day(period: str, place: tuple[int, int]) -> str:
    months, day = place
    return f"{months_before(period, months)}-{day:02}"


def _showcase(village: Village, period: str) -> Iterator[Entry]:
    """Everything else that the catalogue names: half-years, years, and one event each."""
    year = int(period[:4])
    half = f"{year}H1" if period[5:] > "06" else f"{year - 1}H2"
    yield from (Entry(village, item, half) for item in _HALF_YEARLY)
    yield from (Entry(village, item, str(year)) for item in _THIS_YEAR)
    yield from (Entry(village, item, str(year - 1)) for item in _LAST_YEAR)
    for item, place in _ON_EVENT.items():
        entry = Entry(village, item, _event_day(period, place))
        if item == "V04":
            entry = entry._replace(dissent="第3户的面积和承包合同对不上，请再核实。")
        yield entry._replace(pictures="whole") if item == "V08" else entry


def _aside(pilot: Sequence[Village], period: str, today: date) -> Iterator[Entry]:
    """What was withdrawn, and what is under way on the first day."""
    showcase = next(v for v in pilot if v.code == SHOWCASE)
    item, place = _TWICE
    yield Entry(showcase, item, _event_day(period, place), withdrawn="与另一条重复公开，保留那一条。")
    stops: tuple[tuple[Village, str, Stop], ...] = (
        (showcase, "V01", "submitted"),
        (pilot[5], "V01", "returned"),
        (pilot[7], "V01", "draft"),
        (pilot[0], "F06", "confirmed"),
    )
    for back, (village, code, stop) in enumerate(stops, start=1):
        yield Entry(village, code, (today - timedelta(days=back)).isoformat(), stop=stop)


def _extras(village: Village, entries: Sequence[Entry], period: str) -> Extras:
    """Lines of the village's ledgers that others of its disclosures speak of."""
    rosters = [e for e in entries if e.village == village and e.item == LABOUR and e.way != "nil"]
    found = [
        Extra(e.period, "out", labour_fen(body_of(LABOUR, village.code, e.period)), *_LABOUR_WORDS) for e in rosters
    ]
    if village.code != SHOWCASE:
        return tuple(found)
    accepted = date.fromisoformat(_event_day(period, _ON_EVENT["V08"]))
    started = (accepted - timedelta(days=items.ROAD_DAYS)).isoformat()[:7]
    road = ("公益支出", items.CONTRACTOR, items.RESOLUTION)
    let = months_before(period, _ON_EVENT["V10"][0])
    return (
        *found,
        Extra(started, "in", items.ROAD_GRANT_FEN, "收村内道路硬化上级补助", "补助收入", "镇街财政所"),
        Extra(started, "out", items.ROAD_FIRST_FEN, "付村内道路硬化工程款（开工预付）", *road),
        Extra(accepted.isoformat()[:7], "out", items.ROAD_SECOND_FEN, "付村内道路硬化工程款（验收后）", *road),
        Extra(let, "in", RENT_FEN, "收村部东侧门市房租金", "经营收入", TENANT, items.RESOLUTION),
    )


_LABOUR_WORDS: Final = ("付零工工资（名单见当月用工公开）", "公益支出")


def labour_fen(roster: Mapping[str, Any]) -> int:
    """What a month's labour roster comes to, in fen."""
    total: int = roster["totals"]["amount_fen"]
    return total


def _waivers(pilot: Sequence[Village], quarter: str) -> tuple[Waived, ...]:
    return (
        Waived(pilot[0], "F10", quarter, "承租户名单正在和合同核对，核对完之前先不公开，已报镇街备案。"),
        Waived(pilot[1], "V17", quarter, "保障名单由镇街统一核对，核对完成前暂不公开，已报镇街备案。"),
    )


def _declarations(pilot: Sequence[Village], quarter: str, entries: Sequence[Entry]) -> tuple[Declared, ...]:
    """All villages of the pilot but the last answer for the quarter: what was entered happened, nothing else did."""
    first, last = (day.isoformat() for day in period_bounds(quarter))
    return tuple(
        Declared(
            v,
            quarter,
            tuple(
                (e.item, e.period)
                for e in entries
                if e.village == v and e.item in _ON_EVENT and first <= e.period <= last
            ),
        )
        for v in pilot[:-1]
    )


def content_of(plan: Plan, entry: Entry) -> dict[str, Any]:
    """What is entered, with the planted fault in it."""
    village, period = entry.village.code, entry.period
    if entry.item != ITEM:
        return body_of(entry.item, village, period)
    body = ledger(village, period, plan.first[village], plan.extras[village])
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
    counts["aside"] = len(plan.aside)
    write_json(home / MANIFEST_FILE, {"seed": SEED, **counts, "faults": faults})
