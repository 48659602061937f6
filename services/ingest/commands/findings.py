"""What does not add up in a disclosure, why it is right all the same, and what must not stand beside it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from services.contracts import privacy
from services.contracts.base import AcceptedFinding, Finding
from services.contracts.bodies import AccountSums, Body, Ledger, Neighbour, figures
from services.contracts.values import previous_period
from services.ingest.gate.findings import chain_findings, neighbour_notes, note_finding, personal_in
from services.ingest.store.cells import select_chains, select_remarked
from services.ingest.store.contents import Edition
from services.ingest.store.disclosures import Disclosure, select_editions
from services.ingest.visit import Reading
from services.kit.errors import Fault, InvalidInputError


@dataclass(frozen=True, slots=True)
class Saved:
    """A disclosure after a step, with what does not add up in its newest edition."""

    disclosure: Disclosure
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A body with the personal data in it."""

    body: Body
    personal: tuple[Finding, ...]


Result = TypeVar("Result")

#: Of long bodies so many at once, for each of them takes a processor for itself.
_looking: Final = asyncio.Semaphore(2)
#: Characters of a body in JSON that are looked through in a tenth of a second.
_SHORT: Final = 16 * 1024


async def in_line(work: Callable[[], Result]) -> Result:
    """Work that takes a processor for seconds, beside the loop; whoever waits for it should hold no connection."""
    async with _looking:
        return await asyncio.to_thread(work)


async def look_at(body: Body) -> Content:
    """Look for personal data in a body, beside the loop, and where it can be before a transaction begins."""
    if len(body.model_dump_json(exclude_none=True)) <= _SHORT:
        return Content(body, personal_in(body))
    return Content(body, await in_line(lambda: personal_in(body)))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a finding is right as it stands; without `at` it speaks for every finding of the code."""

    code: str
    at: str | None
    text: str


def accepted_of(found: Sequence[Finding], reasons: Sequence[Reason]) -> tuple[AcceptedFinding, ...]:
    """Real findings with the first reason that speaks for them."""
    accepted = []
    for f in found:
        text = next((r.text for r in reasons if r.code == f.code and r.at in {None, f.at}), None)
        if text is not None:
            accepted.append(AcceptedFinding(code=f.code, at=f.at, reason=text))
    return tuple(accepted)


#: A disclosure with one of its editions.
Of = tuple[Disclosure, Edition]


async def findings_of(desk: Reading, disclosure: Disclosure, edition: Edition) -> tuple[Finding, ...]:
    """What does not add up: in the content, as found when it was saved, and against what was said before, as it is now."""
    return (await findings_of_all(desk, [(disclosure, edition)]))[disclosure.id]


async def findings_of_all(desk: Reading, of: Sequence[Of]) -> dict[UUID, tuple[Finding, ...]]:
    """The same of many disclosures, in no more statements."""
    chains, silent = await _chains_of(desk, of), await _silent_changes(desk, of)
    return {d.id: (*chains.get(d.id, ()), *silent.get(d.id, ()), *edition.findings) for d, edition in of}


async def chain_notes(desk: Reading, village: str, item: str, period: str) -> list[str]:
    """What a ledger that is begun should know of its neighbours: what it follows, what it has to tie to."""
    (chain,) = await select_chains(desk.conn, [(village, item, period)])
    return neighbour_notes(period, chain.before, chain.after)


async def chain_of(desk: Reading, disclosure: Disclosure, edition: Edition) -> tuple[Finding, ...]:
    """Against the nearest ledgers before and after, published or under check."""
    return (await _chains_of(desk, [(disclosure, edition)])).get(disclosure.id, ())


async def _chains_of(desk: Reading, of: Sequence[Of]) -> dict[UUID, tuple[Finding, ...]]:
    ledgers = [(d, e.body) for d, e in of if isinstance(e.body, Ledger) and previous_period(d.period) is not None]
    places = [(d.village_code, d.item, d.period) for d, _ in ledgers]
    chains = await select_chains(desk.conn, places) if places else []
    return {
        d.id: chain_findings(d.period, body.sums.accounts, chain.before, chain.after)
        for (d, body), chain in zip(ledgers, chains, strict=True)
    }


async def titles_of(desk: Reading, disclosures: Sequence[Disclosure]) -> dict[UUID, str]:
    """What contents are called, by which two of one day are told apart in a list; of drafts from before it was kept nothing."""
    known = await select_remarked(desk.conn, [d.id for d in disclosures])
    return {key: remarked.title for key, remarked in known.items() if remarked.title is not None}


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list tells of a disclosure's content: places to look at, a few words, a ledger's figures and those before it."""

    places: int
    headline: str = ""
    accounts: tuple[AccountSums, ...] = ()
    before: Neighbour | None = None

    @property
    def figures(self) -> tuple[tuple[str, int, int | None], ...]:
        """Of a ledger: what a figure is called, the figure in fen, and how much it is more than the period before."""
        if not self.accounts:
            return ()
        old = self.before.accounts if self.before is not None else None
        sums = (("收入", "income_fen"), ("支出", "expense_fen"), ("结余", "closing_fen"))
        return tuple(
            (words, now, now - _sum(old, name) if old is not None else None)
            for words, name in sums
            for now in (_sum(self.accounts, name),)
        )


def _sum(accounts: Sequence[AccountSums], name: str) -> int:
    return sum(int(getattr(a, name)) for a in accounts)


async def listed(desk: Reading, disclosures: Sequence[Disclosure]) -> dict[UUID, Listed]:
    """What a list tells of each, without reading contents: what does not add up or was explained, the chain as it is now."""
    known = await select_remarked(desk.conn, [d.id for d in disclosures])
    # What is no ledger has no chain, and to look for one would go through all its years.
    ledgers = [d for d in disclosures if known[d.id].accounts]
    chains = await select_chains(desk.conn, [(d.village_code, d.item, d.period) for d in ledgers])
    links = {d.id: chain for d, chain in zip(ledgers, chains, strict=True)}
    told = {}
    for d in disclosures:
        mine, chain = known[d.id], links.get(d.id)
        found = chain_findings(d.period, mine.accounts, chain.before, chain.after) if chain is not None else ()
        places = len(mine.places | {(f.code, f.at) for f in found})
        told[d.id] = Listed(places, mine.headline, mine.accounts, chain.before if chain is not None else None)
    return told


async def _silent_changes(desk: Reading, of: Sequence[Of]) -> dict[UUID, tuple[Finding, ...]]:
    """Corrections that change figures and do not say why."""
    public = {
        (d.id, d.published_edition): e
        for d, e in of
        if d.published_edition is not None and d.published_edition != d.edition and e.note is None
    }
    before = await select_editions(desk.conn, public) if public else {}
    return {key[0]: (note_finding(),) for key, b in before.items() if figures(b.body) != figures(public[key].body)}


def refuse_personal(text: str, at: str) -> None:
    """Refuse a sentence beside the content with personal data in it; whoever acts may be named."""
    faults = [Fault(f.at, f.message) for f in privacy.findings(text, at) if f.code != "privacy.name"]
    if faults:
        raise InvalidInputError(faults=faults)
