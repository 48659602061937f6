"""What was written of a disclosure, as it rests in tables: under the disclosure's key, and gone for good with it.

An edition has two parts: the content, written once, and the small rest beside it, which lists read without the content.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from services.contracts.base import AcceptedFinding, Finding, Model
from services.contracts.bodies import BODY, AccountSums, Body, Ledger, Roster, Table
from services.contracts.disclosure import LineReason
from services.kit.db import Row
from services.kit.shred import close, reopen


class Returned(Model):
    """One time that an edition was sent back; `by` and `at` are None of the time before they were kept."""

    reason: str
    lines: tuple[LineReason, ...] = ()
    by: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition's content, the reasons given for its findings, and what was found in it when it was saved."""

    body: Body
    accepted: tuple[AcceptedFinding, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str | None = None
    secrecy_checked_by: str | None = None
    returns: tuple[Returned, ...] = ()


class Remarks(Model):
    """What is said beside an edition's content, what its accounts come to, and what it is called."""

    accepted: tuple[AcceptedFinding, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str | None = None
    secrecy_checked_by: str | None = None
    returns: tuple[Returned, ...] = ()
    accounts: tuple[AccountSums, ...] = ()
    #: What lists say of the content; none of what was saved before it was kept.
    title: str | None = None
    rows: int | None = None


class Note(Model):
    """Why a disclosure was sent back the last time."""

    reason: str
    lines: tuple[LineReason, ...] = ()


class Said(Model):
    """What a party said of an edition, and who signed it."""

    names: tuple[str, ...]
    reason: str | None


_ACCOUNTS: Final = TypeAdapter(tuple[AccountSums, ...])
_RETURNS: Final = TypeAdapter(tuple[Returned, ...])


def remarks_of(e: Edition) -> Remarks:
    """What stands beside the content of an edition."""
    accounts = e.body.sums.accounts if isinstance(e.body, Ledger) else ()
    return Remarks(
        accepted=e.accepted,
        findings=e.findings,
        note=e.note,
        secrecy_checked_by=e.secrecy_checked_by,
        returns=e.returns,
        accounts=accounts,
        title=getattr(e.body, "title", None),
        rows=e.body.row_count if isinstance(e.body, Roster | Table) else None,
    )


def close_body(key: str, disclosure_id: str, edition: int, body: Body) -> bytes:
    """The content of an edition for its column."""
    return close(key, disclosure_id, _body_of(edition), body.model_dump_json(exclude_none=True).encode())


def close_remarks(key: str, disclosure_id: str, edition: int, remarks: Remarks) -> bytes:
    """The rest of an edition for its column."""
    return close(key, disclosure_id, _remarks_of(edition), remarks.model_dump_json(exclude_defaults=True).encode())


def close_note(key: str, disclosure_id: str, note: Note) -> bytes:
    """Why something was sent back, for its column."""
    return close(key, disclosure_id, "disclosure.note", note.model_dump_json().encode())


def open_note(key: str, disclosure_id: str, closed: bytes) -> Note:
    """What `close_note` was given; InvalidTag when it belongs elsewhere or was changed."""
    return Note.model_validate_json(reopen(key, disclosure_id, "disclosure.note", closed))


def _body_of(edition: int) -> str:
    return f"edition.body:{edition}"


def _remarks_of(edition: int) -> str:
    return f"edition.remarks:{edition}"


def body_of(row: Row) -> Body:
    """The content of a row of `edition` that was read with its key."""
    return BODY.validate_json(_text_of(row))


#: A content that was checked before, as JSON.
Raw = dict[str, Any]


def raw_body_of(row: Row) -> Raw:
    """The same as JSON, at a fifth of the cost: for what was checked when it was handed in and is only compared."""
    found: Raw = json.loads(_text_of(row))
    return found


def _text_of(row: Row) -> str | bytes:
    if row["body_sealed"] is None:
        text: str = row["body"]
        return text
    return reopen(row["key"], str(row["disclosure_id"]), _body_of(row["edition"]), row["body_sealed"])


def rest_of(row: Row) -> Remarks:
    """What stands beside the content in a row of `edition` that was read with its key."""
    if row["remarks_sealed"] is not None:
        closed = reopen(row["key"], str(row["disclosure_id"]), _remarks_of(row["edition"]), row["remarks_sealed"])
        return Remarks.model_validate_json(closed)
    return Remarks(
        accepted=tuple(AcceptedFinding.model_validate(a) for a in json.loads(row["accepted"])),
        findings=tuple(Finding.model_validate(f) for f in json.loads(row["findings"])),
        note=row["note"],
        secrecy_checked_by=row["secrecy_checked_by"],
        returns=_RETURNS.validate_json(row["returns"]),
    )


def edition_of(row: Row) -> Edition:
    """A row of `edition` that was read with its key."""
    rest = rest_of(row)
    return Edition(body_of(row), rest.accepted, rest.findings, rest.note, rest.secrecy_checked_by, rest.returns)


def accounts_of(row: Row) -> tuple[AccountSums, ...]:
    """What the accounts of a ledger come to, without reading its lines; of rows in clear, `accounts` as they stand there."""
    if row["remarks_sealed"] is not None:
        return rest_of(row).accounts
    return _ACCOUNTS.validate_json(row["accounts"])


#: Edition, party and who spoke: what a word of a disclosure is found by.
Place = tuple[int, str, str]


def close_said(key: str, disclosure_id: str, place: Place, said: Said) -> bytes:
    """A party's words for their column."""
    return close(key, disclosure_id, _said_at(place), said.model_dump_json().encode())


def said_of(row: Row) -> Said:
    """The words of a row of `confirmation` that was read with its key."""
    if row["said_sealed"] is None:
        return Said(names=tuple(json.loads(row["names"])), reason=row["reason"])
    place = _said_at((row["edition"], row["kind"], row["actor_id"]))
    return Said.model_validate_json(reopen(row["key"], str(row["disclosure_id"]), place, row["said_sealed"]))


def _said_at(place: Place) -> str:
    return f"confirmation.said:{':'.join(map(str, place))}"
