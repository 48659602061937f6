"""Adds every figure of a city's public pages up again, from what its API gives, by arithmetic of its own.

.venv/bin/python -m tests.flows.adding http://127.0.0.1:8000        # a city with a large sample, as an operator would
"""

import asyncio
import re
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from lxml import html

_AMOUNT: Final = re.compile(r"(-?)([0-9,]+)\.([0-9]{2})")
_MONEY: Final = "F01"
_LATE_STATES: Final = frozenset({"not_opened", "in_progress"})
_SHOWN_BIGGEST: Final = 3
_WAYS: Final = {"in": "收", "out": "支", "transfer": "转"}
_NO_TITLE: Final = "没有写科目"


def fen_of(text: str) -> int:
    """The first amount of a text, in fen; ValueError when there is none."""
    found = _AMOUNT.search(text)
    if found is None:
        message = f"no amount in {text!r}"
        raise ValueError(message)
    sign, yuan, cents = found.groups()
    return (-1 if sign else 1) * (int(yuan.replace(",", "")) * 100 + int(cents))


def amounts_of(text: str) -> list[int]:
    """All amounts of a text, in fen."""
    return [fen_of(m.group()) for m in _AMOUNT.finditer(text)]


def bar_of(fen: int, most: int) -> int | None:
    """How long a bar has to be, in hundredths; None for no bar."""
    return max(1, fen * 100 // most) if fen > 0 and most > 0 else None


def text_of(node: Any) -> str:
    """What stands in an element, in one line."""
    return " ".join(node.text_content().split())


@dataclass(slots=True)
class Month:
    """A ledger as its lines tell it."""

    id: str
    body: dict[str, Any]

    def flow(self, direction: str) -> int:
        """What its lines of a direction come to; where only totals are public, what is stated."""
        if not self.body["lines"] and (totals := self.body.get("totals")):
            return int(totals[{"in": "income_fen", "out": "expense_fen"}[direction]])
        return sum(line["amount_fen"] for line in self.body["lines"] if line["direction"] == direction)

    def stood(self, name: str) -> int:
        """What its accounts hold together, at the beginning or the end (`opening_fen`, `closing_fen`)."""
        return sum(a[name] for a in self.body["accounts"])

    @property
    def figures(self) -> tuple[int, int, int]:
        """What is left, came in, went out."""
        return self.stood("closing_fen"), self.flow("in"), self.flow("out")


@dataclass(slots=True)
class Adding:
    """The checks; `wrong` are sentences, each with the page that it is about, `looked` counts what was compared."""

    http: httpx2.AsyncClient
    wrong: list[str] = field(default_factory=list)
    looked: Counter[str] = field(default_factory=Counter)

    def same(self, page: str, what: str, shown: object, worked_out: object) -> None:
        """Compare what a page shows with what was worked out."""
        self.looked[what] += 1
        if shown != worked_out:
            self.wrong.append(f"{page}: {what}: shown {shown}, worked out {worked_out}")

    def near(self, page: str, what: str, shown: float, worked_out: float, within: float) -> None:
        """Compare what was rounded."""
        self.same(page, what, shown, shown if abs(shown - worked_out) <= within else worked_out)

    async def page(self, path: str) -> Any:
        answer = await self.http.get(path)
        return html.fromstring(answer.raise_for_status().text)

    async def listed(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """All items of a list."""
        cursor: str | None = None
        while True:
            query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
            answer = (await self.http.get(path, params=query)).raise_for_status().json()
            for item in answer["items"]:
                yield item
            cursor = answer["next"]
            if cursor is None:
                return

    async def whole(self) -> None:
        """Every page of every village, then the lists above them."""
        lacking: dict[str, int] = {}
        newest: dict[str, Month | None] = {}
        townships: dict[str, list[str]] = defaultdict(list)
        async for village in self.listed("/api/v1/villages"):
            code = village["code"]
            townships[village["township"]["code"]].append(code)
            lacking[code], newest[code] = await self.village(code)
        for township, codes in townships.items():
            await self.township(township, codes, newest, lacking)
        city = text_of(await self.page("/"))
        told = re.search(r"全市缺([0-9]+)项", city)
        self.same("/", "lacking of the city", int(told.group(1)) if told else 0, sum(lacking.values()))

    async def village(self, code: str) -> tuple[int, Month | None]:
        """A village's page, its years and its disclosures; returns how much it lacks, and its newest month."""
        months: dict[str, Month] = {}
        items = set()
        async for row in self.listed(f"/api/v1/villages/{code}/disclosures"):
            items.add(row["item"])
            if row["state"] == "withdrawn":
                continue
            told = (await self.http.get(f"/api/v1/disclosures/{row['id']}")).raise_for_status().json()
            await self.disclosure(told)
            if row["item"] == _MONEY:
                months[row["period"]] = Month(row["id"], told["body"])
        lacks = [d async for d in self.listed(f"/api/v1/villages/{code}/duties") if self.is_lacking(d)]
        path = f"/v/{code}"
        page = await self.page(path)
        told_lacking = re.search(r"缺([0-9]+)项", text_of(page.cssselect("main")[0]))
        self.same(path, "lacking", int(told_lacking.group(1)) if told_lacking else 0, len(lacks))
        rows = page.cssselect("section[aria-labelledby=missing] ul.missing > li .state.late")
        self.same(path, "rows of what is missing", len(rows), len(lacks))
        self.same(path, "items opened", len(page.cssselect("details.affair > ul.entries > li")), len(items))
        if not months:
            return len(lacks), None
        period = max(months)
        self.money(path, page, months, period)
        await self.years(code, months)
        return len(lacks), months[period]

    @staticmethod
    def is_lacking(duty: dict[str, Any]) -> bool:
        return duty["state"] in _LATE_STATES and duty["late_days"] > 0

    def money(self, path: str, page: Any, months: dict[str, Month], period: str) -> None:
        """The sentences, bars, comparisons and biggest lines of the newest month."""
        month = months[period]
        left, income, expense = month.figures
        shown = page.cssselect(".first .left")[0]
        self.same(path, "left", fen_of(text_of(shown)), left)
        flows = page.cssselect("dl.flow > div")
        if flows:
            self.same(path, "in and out", [fen_of(text_of(f)) for f in flows], [income, expense])
            most = max(income, expense)
            self.same(path, "bars of in and out", bars(flows), [bar_of(fen, most) for fen in (income, expense)])
        year = [p for p in months if p[:4] == period[:4]]
        sums = [sum(months[p].flow(way) for p in year) for way in ("in", "out")]
        sentences = [amounts_of(text_of(li)) for li in page.cssselect("ul.sentences > li")]
        self.same(
            path, "sentences", [[s[0] for s in sentences[:1]], sentences[1]], [[month.stood("opening_fen")], sums]
        )
        self.same(path, "months of the year", int(re.findall(r"已公开的([0-9]+)个月", text_of(page))[0]), len(year))
        self.same(
            path, "comparisons", amounts_of("".join(map(text_of, page.cssselect(".than")))), differences(months, period)
        )
        for heading, way in (("花得最多的", "out"), ("收得最多的", "in")):
            lists = [u for h in page.cssselect("h3") if text_of(h).startswith(heading) for u in h.itersiblings("ul")][
                :1
            ]
            told = [fen_of(text_of(x)) for u in lists for x in u.cssselect(".sum")]
            lines = sorted((x["amount_fen"] for x in month.body["lines"] if x["direction"] == way), reverse=True)
            self.same(path, f"biggest lines, {way}", told, lines[:_SHOWN_BIGGEST])
        self.shares(path, page, month)
        script = [amounts_of(text_of(p)) for p in page.cssselect("#script ~ details p")]
        moved = [] if not month.body["lines"] else [income, expense]
        self.same(path, "the loudspeaker's figures", script[1], [month.stood("opening_fen"), *moved, left])
        self.same(path, "the loudspeaker's year", script[2], sums)

    def shares(self, path: str, page: Any, month: Month) -> None:
        """That the parts are the whole: percents come to 100 but for rounding, bars fit the percents."""
        rows = page.cssselect("ul.shares > li")
        if not rows:
            return
        percents = [int(p) for row in rows for p in re.findall(r"([0-9]+)%", text_of(row.cssselect(".num")[0]))]
        self.near(path, "shares make the whole", sum(percents), 100, len(rows))
        exact = [amounts_of(text_of(row.cssselect(".num")[0])) for row in rows]
        whole = month.flow("out")
        for percent, amount in zip(percents, exact, strict=True):
            if amount:
                self.near(path, "a share's percent", percent, 100 * amount[0] / whole, 1)

    async def years(self, code: str, months: dict[str, Month]) -> None:
        """The table of each year of the ledger."""
        for year in sorted({p[:4] for p in months}, reverse=True):
            newest = max(months)[:4] == year
            path = f"/v/{code}/{_MONEY}" + ("" if newest else f"/{year}")
            page = await self.page(path)
            rows = [r for r in page.cssselect("table.year tbody tr") if r.cssselect("td.num .bar, td.num:not(.none)")]
            own = {p: m for p, m in months.items() if p[:4] == year}
            most = max(max(m.flow("in"), m.flow("out")) for m in own.values())
            by_id = {m.id: (p, m) for p, m in own.items()}
            for row in rows:
                identity = row.cssselect("a")[0].get("href").rpartition("/")[2]
                if identity not in by_id:
                    continue
                period, month = by_id[identity]
                last_year = months.get(f"{int(year) - 1}{period[4:]}")
                left, income, expense = month.figures
                worked = [income, expense, *([last_year.flow("out")] if last_year else []), left]
                cells = [c for c in row.cssselect("td.num") if "none" not in c.get("class", "").split()]
                self.same(path, "a month's row", [fen_of(text_of(c)) for c in cells], worked)
                self.same(path, "a month's bars", bars(cells[:2]), [bar_of(f, most) for f in (income, expense)])
            note = [amounts_of(text_of(n)) for n in page.cssselect(".sum-of-year")]
            sums = [sum(m.flow(way) for m in own.values()) for way in ("in", "out")]
            self.same(path, "the year's sums", note[0] if note else sums, sums)

    async def disclosure(self, told: dict[str, Any]) -> None:
        """A disclosure's page: a ledger's sums, lines and accounts; of other kinds, that columns make their sums."""
        path = f"/d/{told['id']}"
        page, body = await self.page(path), told["body"]
        if body["kind"] != "ledger":
            self.tables(path, page)
            return
        month = Month(told["id"], body)
        left, income, expense = month.figures
        shown = [fen_of(text_of(d)) for d in page.cssselect("#sums ~ dl .amount")]
        self.same(path, "sums of a ledger", shown, [month.stood("opening_fen"), income, expense, left])
        lines = [x["amount_fen"] for x in body["lines"] if x["direction"] != "transfer"]
        cells = page.cssselect("table.lines-table tbody tr td.num")
        self.same(path, "lines of a ledger", [fen_of(text_of(c)) for c in cells], lines)
        for category in page.cssselect("#categories ~ ul > li") if body["lines"] else ():
            way, _, name = text_of(category.cssselect("span:not(.sum):not(.day)")[0]).partition("：")
            of = [x for x in body["lines"] if (_WAYS[x["direction"]], x.get("category") or _NO_TITLE) == (way, name)]
            worked = sum(x["amount_fen"] for x in of)
            self.same(path, "sums by account title", fen_of(text_of(category)), worked)

    def tables(self, path: str, page: Any) -> None:
        """That the columns of a table make its sums: of a group's rows where a sum names one, else of all."""
        for table in page.cssselect("table.cards"):
            rows = [r.cssselect("td") for r in table.cssselect("tbody tr") if "sums" not in r.get("class", "")]
            for sums in table.cssselect("tbody tr.sums"):
                self.column_sums(path, rows, sums.cssselect("td"))

    def column_sums(self, path: str, rows: Sequence[Sequence[Any]], sums: Sequence[Any]) -> None:
        """That each amount of a row of sums is what its column comes to."""
        group = text_of(sums[0]).removesuffix("合计")
        of = [r for r in rows if text_of(r[0]) == group] or rows
        for column, cell in enumerate(sums):
            if column and _AMOUNT.search(text_of(cell)):
                parts = [fen_of(t) for r in of if _AMOUNT.search(t := text_of(r[column]))]
                self.same(path, "a column's sum", fen_of(text_of(cell)), sum(parts))

    async def township(
        self, code: str, villages: Sequence[str], newest: dict[str, Month | None], lacking: dict[str, int]
    ) -> None:
        """A township's table, and the same as a file."""
        path = f"/t/{code}"
        page = await self.page(path)
        rows = {
            r.cssselect("a")[0].get("href").rpartition("/")[2]: r for r in page.cssselect("table.villages tbody tr")
        }
        self.same(path, "villages", sorted(rows), sorted(villages))
        for village in villages:
            month, row = newest[village], rows[village]
            figures = [fen_of(text_of(c)) for c in row.cssselect("td.num")]
            self.same(path, "a village's month", figures, [*month.figures] if month else [])
            told = re.search(r"缺([0-9]+)项", text_of(row))
            self.same(path, "a village's lacking", int(told.group(1)) if told else 0, lacking[village])
        told = re.search(r"其余一共缺([0-9]+)项", text_of(page))
        self.same(path, "lacking of a township", int(told.group(1)) if told else 0, sum(lacking[v] for v in villages))


def bars(nodes: Iterable[Any]) -> list[int | None]:
    """How long the bars of some elements are."""
    found = [n.cssselect("svg.bar rect") for n in nodes]
    return [int(f[0].get("width")) if f else None for f in found]


def differences(months: dict[str, Month], period: str) -> list[int]:
    """By how much spending differs from that of the month before and of last year's month, as far as they are open; equal ones tell no amount."""
    year, month = int(period[:4]), int(period[5:])
    before = f"{year}-{month - 1:02}" if month > 1 else f"{year - 1}-12"
    own = months[period].flow("out")
    found = [abs(own - months[p].flow("out")) for p in (before, f"{year - 1}{period[4:]}") if p in months]
    return [f for f in found if f]


async def main(url: str) -> int:
    """Check a city; returns the exit status."""
    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
        adding = Adding(http)
        await adding.whole()
    for what, count in sorted(adding.looked.items()):
        sys.stdout.write(f"{count:7}  {what}\n")
    sys.stdout.write(f"{sum(adding.looked.values())} comparisons, {len(adding.wrong)} differences\n")
    sys.stdout.writelines(f"{sentence}\n" for sentence in adding.wrong[:50])
    return min(1, len(adding.wrong))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
