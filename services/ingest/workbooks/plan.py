"""A workbook to drafts: which tables are taken, what is asked, what stands in the way, what was left out and why; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.contracts.catalogue import ItemKind
from services.contracts.values import Frequency, period_words
from services.ingest.bulk.cells import account_words
from services.ingest.workbooks.balances import read_balances
from services.ingest.workbooks.cells import CellFault, Reading, reading_of
from services.ingest.workbooks.days import NO_YEAR, period_in, year_in
from services.ingest.workbooks.drafts import Made, Wanted, ledgers_of
from services.ingest.workbooks.journal import Journal, read_journal
from services.ingest.workbooks.lists import lacks_unit, rosters_of, tables_of
from services.ingest.workbooks.movements import Movement, Stated
from services.ingest.workbooks.tables import find_tables
from services.ingest.workbooks.villages import Directory, Place
from services.ingest.workbooks.vouchers import is_double, read_vouchers
from services.ingest.workbooks.words import Shape
from services.ingest.workbooks.workbook import Workbook

#: What a file of another shape is told.
TAKEN_KINDS = (ItemKind.LEDGER, ItemKind.ROSTER, ItemKind.TABLE)


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What must be known of an item to enter it from a file."""

    code: str
    name: str
    kind: ItemKind
    frequency: Frequency


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody said of a file, by the fields of the preview; empty where they said nothing."""

    item: str = ""
    village: str = ""
    period: str = ""
    account: str = ""
    year: str = ""
    unit: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    openings: Mapping[str, str] = field(default_factory=dict)
    villages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the file does not tell. `field`: of the form that answers it; `offered`: values with their words."""

    field: str
    words: str
    offered: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Understood:
    """The tables of a file with what each is, before drafts are made."""

    taken: list[Reading]
    others: list[tuple[Reading, Shape]]
    wanted: Wanted
    directory: Directory
    kind: ItemKind | None
    journals: list[Journal] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """What a file comes to: drafts when there is neither a question nor a fault."""

    made: list[Made]
    questions: list[Question]
    faults: list[CellFault]
    left_out: list[tuple[str, list[str]]]
    stated: list[Stated]
    untold: list[str]
    readings: list[Reading]

    @property
    def ready(self) -> bool:
        """Tell whether it can be taken in."""
        return bool(self.made) and not self.questions and not self.faults


@dataclass(frozen=True, slots=True)
class Office:
    """Whose file it is: what they may enter, for which villages, how their agency calls columns; and the day."""

    items: Sequence[ItemFacts]
    places: Sequence[Place]
    learned: Mapping[str, str]
    today: date
    #: Villages of others: a title that names one of them is no file of one's own.
    strangers: Sequence[Place] = ()


def understand(book: Workbook, name: str, answers: Answers, office: Office) -> Understood:
    """Find the tables of a workbook and what they are; ask what they do not tell."""
    items, places, learned = office.items, office.places, office.learned
    readings = [reading_of(t, learned, answers.columns) for s in book.sheets for t in find_tables(s, learned)]
    shaped = [(r, shape_of(r)) for r in readings if r.table.rows]
    item = next((i for i in items if i.code == answers.item), None) or _default_item(shaped, items)
    kind = item.kind if item is not None else None
    shapes = _SHAPES.get(kind, ()) if kind is not None else ()
    taken = [r for r, shape in shaped if shape in shapes]
    directory = Directory(places, answers.villages)
    said = answers.village if any(p.code == answers.village for p in places) else ""
    wanted = _wanted(item, said or _only_village(directory, name), answers)
    for reading in readings:
        _read_title(reading, directory, wanted.frequency)
    for reading in taken if kind is ItemKind.TABLE else ():
        reading.unit = reading.unit or answers.unit
    others = [(r, shape) for r, shape in shaped if r not in taken]
    found = Understood(taken, others, wanted, directory, kind, untold=list(book.untold))
    if kind is ItemKind.LEDGER:
        found.journals = [_journal(r, shape, answers) for r, shape in shaped if shape in shapes]
    _ask(found, items, shaped, office.today)
    if not said:
        _ask_of_strangers(found, Directory(office.strangers))
    return found


def _wanted(item: ItemFacts | None, village: str, answers: Answers) -> Wanted:
    frequency = item.frequency if item is not None else Frequency.MONTHLY
    return Wanted(item.code if item is not None else "", frequency, village, answers.period, answers.openings)


def _only_village(directory: Directory, name: str) -> str:
    """The village of whoever enters for one alone, else the one that the file's name names."""
    if len(directory.places) == 1:
        return directory.places[0].code
    named = directory.named_in(name)
    return named.code if named is not None else ""


_SHAPES = {
    ItemKind.LEDGER: (Shape.LEDGER, Shape.VOUCHERS, Shape.BALANCES),
    ItemKind.ROSTER: (Shape.ROSTER,),
    ItemKind.TABLE: (Shape.TABLE, Shape.ROSTER, Shape.BALANCES),
}


def shape_of(r: Reading) -> Shape:
    """What a table is, by the meaning of its columns."""
    has_sides = r.has("in", "out") or r.has("debit", "credit") or ("in" in r.roles) != ("out" in r.roles)
    has_words = any(role in r.roles for role in ("summary", "contra", "payee", "title"))
    is_dated = any(role in r.roles for role in ("date", "day", "month", "voucher", "period"))
    if is_double(r):
        return Shape.VOUCHERS
    if is_dated and has_words and (has_sides or (r.has("amount") and ("direction" in r.roles or "balance" in r.roles))):
        return Shape.LEDGER
    ends = ("opening", "closing", "opening_debit", "opening_credit", "closing_debit", "closing_credit")
    if ("title" in r.roles or "code" in r.roles) and any(role in r.roles for role in ends):
        return Shape.BALANCES
    if "name" in r.roles and "summary" not in r.roles:
        return Shape.ROSTER
    return Shape.TABLE


def _default_item(shaped: Sequence[tuple[Reading, Shape]], items: Sequence[ItemFacts]) -> ItemFacts | None:
    """The item that a file without a word of it must be for: a book of money is the monthly ledger."""
    if any(shape in {Shape.LEDGER, Shape.VOUCHERS} for _, shape in shaped):
        ledgers = [i for i in items if i.kind is ItemKind.LEDGER and i.frequency is Frequency.MONTHLY]
        return ledgers[0] if len(ledgers) == 1 else None
    return None


def _read_title(reading: Reading, directory: Directory, frequency: Frequency) -> None:
    texts = [*reading.table.above, reading.table.sheet]
    place = directory.named_in(" ".join(texts))
    if place is not None:
        reading.village = place.code
    periods = {p for text in (" ".join(reading.table.above), reading.table.sheet) if (p := period_in(text, frequency))}
    if len(periods) == 1:
        reading.period = periods.pop()
    reading.year = year_in(" ".join(texts))


def _journal(reading: Reading, shape: Shape, answers: Answers) -> Journal:
    period = answers.period or reading.period or answers.year or reading.year
    match shape:
        case Shape.VOUCHERS:
            return read_vouchers(reading, period)
        case Shape.BALANCES:
            return read_balances(reading)
    return read_journal(reading, period, answers.account)


# -- questions ----------------------------------------------------------------------------------------------------

ACCOUNT_CHOICES = (("bank", "全部是银行存款"), ("cash", "全部是库存现金"), ("imprest", "全部是备用金"))


def _ask(found: Understood, items: Sequence[ItemFacts], shaped: Sequence[tuple[Reading, Shape]], today: date) -> None:
    if found.kind is None:
        _ask_item(found, items, shaped)
    elif found.taken:
        _ask_village(found)
        _ask_period(found, today)
        _ask_unit_and_account(found)
        _ask_villages(found)


def _ask_item(found: Understood, items: Sequence[ItemFacts], shaped: Sequence[tuple[Reading, Shape]]) -> None:
    shapes = {shape for _, shape in shaped}
    fitting = [i for i in items if shapes & set(_SHAPES.get(i.kind, ()))]
    if fitting:
        offered = tuple((i.code, i.name) for i in fitting)
        found.questions.append(Question("item", "这张表录入哪个公开事项？", offered))


def _ask_village(found: Understood) -> None:
    unnamed = [r for r in found.taken if not r.village and not _names_villages(r)]
    if unnamed and not found.wanted.village:
        offered = tuple((p.code, p.words) for p in found.directory.places)
        found.questions.append(Question("village", "文件里没有写是哪个村，请选：", offered))


def _ask_unit_and_account(found: Understood) -> None:
    if found.kind is ItemKind.TABLE and any(lacks_unit(r, found.wanted.item) for r in found.taken):
        found.questions.append(Question("unit", "文件里没有写金额的单位，请选：", (("元", "元"), ("万元", "万元"))))
    if any(m.account is None for j in found.journals for m in j.movements):
        found.questions.append(Question("account", "文件里没有写钱在哪个账户，请选：", ACCOUNT_CHOICES))


def _ask_of_strangers(found: Understood, strangers: Directory) -> None:
    """Ask when a title names a village of others: its figures must not become somebody else's."""
    titles = [
        " ".join((*r.table.above, r.table.sheet)) for r in found.taken if not r.village and not _names_villages(r)
    ]
    named = {place.name for title in titles if (place := strangers.named_in(title)) is not None}
    if not named or any(q.field == "village" for q in found.questions):
        return
    offered = tuple((p.code, p.words) for p in found.directory.places)
    words = f"文件标题写的是“{'、'.join(sorted(named))}”，不是您管的村。确实是您管的村的账，请选："
    found.questions.append(Question("village", words, offered))


def _names_villages(reading: Reading) -> bool:
    """Tell whether rows say of which village they are."""
    return any(reading.text(row, role) for row in reading.table.rows for role in ("village_code", "village"))


def _ask_period(found: Understood, today: date) -> None:
    if found.wanted.period:
        return
    if found.kind is not ItemKind.LEDGER or found.wanted.frequency is Frequency.ON_EVENT:
        if any(not r.period for r in found.taken):
            found.questions.append(Question("period", "文件里没有写是哪一期，请选："))
    elif any(NO_YEAR in f.message for r in found.taken for f in r.faults):
        years = tuple((str(year), f"{year} 年") for year in range(today.year, today.year - 4, -1))
        found.questions.append(Question("year", "文件里的日期没有年份，请选是哪一年：", years))
    else:
        _ask_untimed(found)


def _ask_untimed(found: Understood) -> None:
    """Ask of which period lines are that say no day, or whose period may be two."""
    movements = [m for j in found.journals for m in j.movements if not m.reading.period]
    untimed = [m for m in movements if m.day is None and not _says_when(m)]
    if not untimed and (movements or all(r.period for r in found.taken)):
        return
    months = tuple((month, period_words(month)) for month in sorted({month for m in untimed for month in m.months}))
    words = (
        "期间可能是 1 月，也可能是 10 月（电子表格会去掉末尾的 0），请选："
        if months
        else "文件里没有写是哪一期，请选："
    )
    found.questions.append(Question("period", words, months))


def _says_when(m: Movement) -> bool:
    """Tell whether a row says its day, though it may not be one: that is a fault at its cell."""
    return any(m.reading.text(m.row, role) for role in ("date", "month", "day"))


def _ask_villages(found: Understood) -> None:
    """Ask of every village's words that settle nothing and have look-alikes."""
    asked: set[tuple[str, str]] = set()
    for reading in found.taken:
        for row in reading.table.rows:
            said = reading.text(row, "village_code"), reading.text(row, "village")
            if not any(said) or said in asked:
                continue
            asked.add(said)
            settled = found.directory.settle(*said)
            if settled.offered:
                offered = tuple((p.code, p.words) for p in settled.offered)
                found.questions.append(
                    Question(f"village:{'|'.join(filter(None, said))}", f"{settled.fault}：", offered)
                )
    found.questions = found.questions[:60]


# -- drafts -------------------------------------------------------------------------------------------------------


def compose(found: Understood, before: Mapping[str, Mapping[str, int]]) -> Plan:
    """Make the drafts, with everything that stands in the way. `before`: closings of what is open of the period before."""
    wanted = Wanted(
        found.wanted.item,
        found.wanted.frequency,
        found.wanted.village,
        found.wanted.period,
        found.wanted.openings,
        before,
    )
    faults: list[CellFault] = []
    made: list[Made] = []
    if found.kind is ItemKind.LEDGER:
        made, faults = ledgers_of(found.journals, wanted, found.directory)
    elif found.kind is ItemKind.ROSTER:
        made, faults = rosters_of(found.taken, wanted, found.directory)
    elif found.kind is ItemKind.TABLE:
        made, faults = tables_of(found.taken, wanted, found.directory)
    asked = {q.field for q in found.questions}
    if not {"village", "period"} & asked:
        found.questions += _openings(made)
    # What a question will settle is no fault.
    own = [f for r in found.taken for f in r.faults]
    if {"period", "year"} & asked:
        own = [f for f in own if NO_YEAR not in f.message]
    if any(field.startswith("village:") for field in asked):
        words = {q.words.rstrip("：") for q in found.questions}
        faults = [f for f in faults if f.message not in words]
    stated = [s for j in found.journals for s in j.stated]
    return Plan(
        made,
        found.questions,
        [*own, *faults],
        _left_out(found),
        stated,
        found.untold,
        [*found.taken, *(r for r, _ in found.others)],
    )


def _openings(made: Sequence[Made]) -> list[Question]:
    return [
        Question(
            f"opening:{one.key}|{missing.partition(':')[2]}",
            f"{account_words(missing.partition(':')[2])}的上期结余（元）",
        )
        for one in made
        for missing in dict.fromkeys(one.missing)
        if missing.startswith("opening:")
    ]


_OTHERS = {
    Shape.BALANCES: "科目余额表（不是逐笔，上级科目和下级科目不能相加）",
    Shape.ROSTER: "名册",
    Shape.LEDGER: "收支明细",
    Shape.VOUCHERS: "凭证列表",
    Shape.TABLE: "别的表",
}


def _left_out(found: Understood) -> list[tuple[str, list[str]]]:
    """Everything that is not taken, by reason, with its places."""
    told: dict[str, list[str]] = {}
    for reading in found.taken:
        for reason, place in reading.left_out:
            told.setdefault(reason, []).append(place)
        for row, reason, words in reading.table.aside:
            told.setdefault(reason, []).append(f"{reading.table.place(row)}：{words}".rstrip("："))
    for reading, shape in found.others:
        words = (
            f"{_OTHERS[shape]}，{len(reading.table.rows)} 行：{'、'.join(c.name for c in reading.table.columns[:6])}"
        )
        told.setdefault("这次没有带入的表", []).append(f"{reading.table.place(reading.table.head)} {words}")
    return list(told.items())
