"""What of a body can be searched: each line of a ledger by itself, any other body as a whole; persons never.

A passage holds no more than the masked page shows, and less: names of officials, handlers and payees who are no firm are cut
out, whatever the catalogue's masking. Rosters have none.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from services.contracts.bodies import Body, Contract, Decision, Direction, Ledger, Line, Notice, Project, Roster, Table
from services.contracts.catalogue import Masking
from services.contracts.names import HIDDEN, Words, find_in_text, is_firm, mask_cell
from services.publish.render.masking import masked_body, masked_lines
from services.publish.render.texts import public_text

#: A body's only passage, where it has no lines.
WHOLE: Final = 0
#: Amounts are marked by their size as well, a step of a fifth apart, so that a range is looked for by few marks.
_STEP: Final = math.log(1.2)
#: From a million yuan on amounts are few, and all stand on one step: a range without an end is looked for by few marks too.
_HIGHEST: Final = int(math.log(100_000_000) / _STEP)
_FORMS: Final = re.compile(r"[（(](?:个体|个体户|个体工商户|个人独资|普通合伙|有限合伙)[)）]$")
_SIGNS: Final = re.compile(r"[\W_]+")
_SHORTEST: Final = 2


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing that can be found: its place in the body, its texts as they may be shown, the amounts and the firm in it."""

    number: int
    texts: tuple[str, ...]
    fens: tuple[int, ...] = ()
    firm: str | None = None

    @property
    def runs(self) -> list[str]:
        """Its words as they are compared: no signs, no case, in pieces where a name was cut out."""
        return [run for text in self.texts for piece in text.split(HIDDEN) for run in runs_of(piece)]


def runs_of(text: str) -> list[str]:
    """A text in the pieces between signs and blanks, of one width and case."""
    return _SIGNS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()


def firm_of(name: str | None) -> str | None:
    """A payee by the name under which payments are put together; None for a person and for what names nobody.

    Blanks, signs and width make no difference, nor does a form of business in brackets behind it; anything else is another firm.
    """
    return _firm(name) if name else None


@lru_cache(maxsize=8192)
def _firm(name: str) -> str | None:
    bare = _FORMS.sub("", name.strip())
    # In full on every page: what the web masks is nobody that payments are put together of.
    return "".join(runs_of(bare)) or None if is_firm(bare) and mask_cell(name.strip()) == name.strip() else None


def passages(body: Body) -> Iterator[Passage]:
    """Every passage of a body, as anybody may read it and with no person in it."""
    match body:
        case Ledger():
            yield from ledger_passages(body, list(enumerate(body.lines, 1)))
        case Roster():
            return
        case _:
            texts = tuple(_without_names(t, None) for t in _texts(masked_body(body, Masking.SURNAME)) if t)
            yield Passage(WHOLE, texts, tuple(fen for fen in _amounts(body) if fen))


def ledger_passages(ledger: Ledger, numbered: Sequence[tuple[int, Line]]) -> Iterator[Passage]:
    """The passages of some lines of a ledger; nothing of who handled or approved them."""
    shown = masked_lines(ledger, Masking.SURNAME, [line for _, line in numbered])
    staff = Words(_staff(ledger))
    for (number, full), line in zip(numbered, shown, strict=True):
        texts = [_without_names(text, staff) for text in (line.summary, line.category) if text]
        paid = firm_of(full.payee) if full.direction is Direction.OUT else None
        yield Passage(number, (*texts, *_firms_of(full), *_numbers_of(full)), (line.amount_fen,), paid)


def _staff(ledger: Ledger) -> set[str]:
    """Whoever handled, attested or approved a line."""
    named = {name for x in ledger.lines for name in (x.handler, x.attestor, x.approver)}
    return {name for name in named if name is not None and len(name) >= _SHORTEST}


def _firms_of(line: Line) -> Iterator[str]:
    """Payee and seller of a line as they stand, where they are firms."""
    named = (line.payee, line.invoice.seller if line.invoice is not None else None)
    return (name for name in named if name is not None and firm_of(name) is not None)


def _numbers_of(line: Line) -> Iterator[str]:
    """The numbers of a line's invoice and contract: whoever holds the paper finds the line by it."""
    named = (line.invoice.no if line.invoice is not None else None, line.contract_no)
    return (number for number in named if number is not None)


def may_hold(line: Line, words: Iterable[str]) -> bool:
    """Tell whether a line can be found by some words at all; cheap, and true more often than it is found."""
    seller = line.invoice.seller if line.invoice else None
    told = (line.summary, line.category, line.payee, seller, *_numbers_of(line))
    texts = "\n".join(runs_of(" ".join(t for t in told if t)))
    return all(word in texts for word in words)


def _without_names(text: str, known: Words | None) -> str:
    parts, at = [], 0
    for span in find_in_text(text, known if known is not None and known.all else None, officials=True):
        parts += [text[at : span.start], HIDDEN]
        at = span.end
    return "".join([*parts, text[at:]])


def _texts(body: Body) -> Iterable[str | None]:
    """What people wrote into a masked body, firms beside it."""
    match body:
        case Notice():
            return (body.title, *body.paragraphs, *(_cells(body.table) if body.table is not None else ()))
        case Decision():
            return (body.title, body.resolution, body.implementation, *(s.note for s in body.steps))
        case Contract():
            return (body.title, body.subject, body.party, body.method, body.remark, body.contract_no)
        case Project():
            firms = (body.contractor or "", *(b.bidder for b in body.bids))
            return (body.title, body.scope, body.acceptance, *map(mask_cell, firms))
        case Table():
            return _cells(body)
        case _:
            return ()


def _cells(table: Table) -> Iterator[str]:
    yield from (c.name for c in table.columns)
    yield from (cell for row in table.rows for cell in row if isinstance(cell, str))


def _amounts(body: Body) -> Iterable[int | None]:
    match body:
        case Contract():
            return (body.total_fen, body.annual_fen, *(i.amount_fen for i in body.instalments))
        case Project():
            sums = (body.budget_fen, body.contract_fen, body.settled_fen)
            return (*sums, *(p.amount_fen for p in body.payments), *(b.amount_fen for b in body.bids))
        case _:
            return ()


def firm_sums(ledger: Ledger) -> dict[str, tuple[int, int]]:
    """What a ledger paid to each firm in fen, and in how many lines; what was taken back counts against it."""
    fens: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for line in ledger.lines:
        if line.direction is Direction.OUT and (firm := firm_of(line.payee)) is not None:
            fens[firm] += line.amount_fen
            lines[firm] += 1
    return {firm: (fens[firm], lines[firm]) for firm in lines}


# -- what is marked in the index ---------------------------------------------------------------------------------


def pairs_of(run: str) -> list[str]:
    """The pairs of characters side by side that make a run."""
    return [run[n : n + _SHORTEST] for n in range(len(run) - 1)]


#: What everything that can be found is marked with.
ANYTHING: Final = "*"
#: What every ledger with lines is marked with.
LINES: Final = "l"


def exactly(fen: int) -> str:
    """How an amount is marked."""
    return f"={abs(fen)}"


def size_of(fen: int) -> int:
    """The step of sizes that an amount stands on; a greater amount never stands on a lower one."""
    return min(_HIGHEST, int(math.log(max(1, abs(fen))) / _STEP))


def sized(step: int) -> str:
    """How a step of sizes is marked."""
    return f"~{step}"


def paid(key: str) -> str:
    """How it is marked that a firm, by its key, was paid."""
    return f"f:{key}"


def under(category: str) -> str:
    """How an account title is marked."""
    return f"c:{''.join(runs_of(category))}"


def going(direction: Direction) -> str:
    """How a direction is marked."""
    return f"d:{direction.value}"


#: Numbers that papers know each other by: of a meeting's resolution, of a contract, of an invoice.
NumberKind = Literal["resolution", "contract", "invoice"]
_NUMBERED: Final[Mapping[NumberKind, str]] = MappingProxyType({"resolution": "r", "contract": "k", "invoice": "i"})


def numbered(kind: NumberKind, number: str) -> str:
    """How it is marked that something bears or names a number, whatever the signs and blanks in it."""
    return f"{_NUMBERED[kind]}:{''.join(runs_of(number))}"


def line_number(line: Line, kind: NumberKind) -> str | None:
    """The number of a kind that a line names."""
    match kind:
        case "resolution":
            return line.resolution_id
        case "contract":
            return line.contract_no
        case "invoice":
            return line.invoice.no if line.invoice is not None else None


def paper_number(body: Body, kind: NumberKind) -> str | None:
    """The number of a kind that a decision, a contract or a project bears or names."""
    match kind, body:
        case "resolution", Contract() | Decision() | Project():
            return body.resolution_id
        case "contract", Contract():
            return body.contract_no
        case _:
            return None


def of_village(code: str) -> str:
    """How a village is marked, where several are asked for."""
    return f"v:{code}"


def all_marks(village: str, body: Body) -> tuple[set[str], set[int]]:
    """Everything that a body is found by but firms, and its amounts in fen; two empty sets where it cannot be searched."""
    found = list(passages(body))
    amounts = {fen for passage in found for fen in passage.fens}
    marks = {pair for passage in found for run in passage.runs for pair in pairs_of(run)}
    if not found:
        return marks, amounts
    marks |= {mark for fen in amounts for mark in (exactly(fen), sized(size_of(fen)))} | {ANYTHING, of_village(village)}
    return marks | _columns(body), amounts


def _columns(body: Body) -> set[str]:
    """What lines of a ledger are listed by, and the numbers by which papers know each other."""
    if not isinstance(body, Ledger):
        return {numbered(kind, number) for kind in _NUMBERED if (number := paper_number(body, kind))}
    named = {numbered(kind, number) for x in body.lines for kind in _NUMBERED if (number := line_number(x, kind))}
    titles = {under(public_text(x.category)) for x in body.lines if x.category}
    return {LINES} | named | titles | {going(x.direction) for x in body.lines}
