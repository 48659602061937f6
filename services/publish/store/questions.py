"""Questions of villagers, and what was said of each; words rest sealed under the question's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.contracts.duties import CellKey
from services.contracts.question import Paper, QuestionKind, QuestionState
from services.kit.db import Connection, Row
from services.kit.shred import close, reopen
from services.publish.render.questions import Asked, Question, Tally, Word

#: Whoever asks in a village waits for whoever asks there at this moment: otherwise both would be the last one let in.
LOCK_VILLAGE = "SELECT pg_advisory_xact_lock(hashtext('questions'), hashtext($1))"
COUNT_OPEN = "SELECT count(*) FROM question WHERE village_code = $1 AND state IN ('asked', 'township')"


async def count_open(conn: Connection, village: str) -> int:
    """How many questions of a village wait for an answer; nobody else asks there until the transaction ends."""
    await conn.execute(LOCK_VILLAGE, village)
    found: int = await conn.fetchval(COUNT_OPEN, village)
    return found


SELECT_BY_FORM = "SELECT * FROM question WHERE form_id = $1"


async def select_by_form(conn: Connection, form_id: str) -> Question | None:
    """What was asked with a form."""
    row = await conn.fetchrow(SELECT_BY_FORM, form_id)
    return _question(row) if row else None


INSERT_QUESTION = """
INSERT INTO question (id, ref, form_id, village_code, kind, shows, paper, item, period, disclosure_id, edition, line, state,
                      holder, due, asked_at, has_contact)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""


async def insert_question(conn: Connection, q: Question, form_id: str | None) -> None:
    """Keep a question that was just asked."""
    of = q.asked
    await conn.execute(
        INSERT_QUESTION,
        q.id,
        q.ref,
        form_id,
        of.village_code,
        of.kind.value,
        of.shows,
        of.paper.value if of.paper is not None else None,
        of.item,
        of.period,
        of.disclosure_id,
        of.edition,
        of.line,
        q.state.value,
        q.holder,
        q.due,
        q.asked_at,
        q.has_contact,
    )


@dataclass(frozen=True, slots=True)
class Said:
    """One thing to be kept of what was said of a question; `key` seals its text, None where there is none."""

    kind: str
    at: datetime
    holder: str | None = None
    due: date | None = None
    disclosure_id: str | None = None
    text: str = ""
    key: str | None = None


INSERT_WORD = """
INSERT INTO question_word (question_id, number, kind, holder, at, due, disclosure_id, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
COUNT_WORDS = "SELECT count(*) FROM question_word WHERE question_id = $1"


async def insert_word(conn: Connection, question_id: UUID, said: Said) -> None:
    """Keep what was said of a question that the caller has locked, its text closed under the question's key."""
    number = 1 + await conn.fetchval(COUNT_WORDS, question_id)
    sealed = close(said.key, str(question_id), f"word/{number}", said.text.encode()) if said.key is not None else None
    await conn.execute(
        INSERT_WORD, question_id, number, said.kind, said.holder, said.at, said.due, said.disclosure_id, sealed
    )


LOCK_QUESTION = "SELECT * FROM question WHERE id = $1 FOR UPDATE"
LOCK_BY_REF = "SELECT * FROM question WHERE ref = $1 FOR UPDATE"


async def lock_question(conn: Connection, question_id: UUID) -> Question | None:
    row = await conn.fetchrow(LOCK_QUESTION, question_id)
    return _question(row) if row else None


async def lock_by_ref(conn: Connection, ref: str) -> Question | None:
    row = await conn.fetchrow(LOCK_BY_REF, ref)
    return _question(row) if row else None


UPDATE_QUESTION = """
UPDATE question SET state = $2, holder = $3, due = $4, rounds = $5, late_days = $6, answered_at = $7, closes_at = $8,
    hidden_at = $9, hidden_reason = $10
WHERE id = $1
"""


async def update_question(conn: Connection, q: Question) -> None:
    """Store where a question stands now."""
    await conn.execute(
        UPDATE_QUESTION,
        q.id,
        q.state.value,
        q.holder,
        q.due,
        q.rounds,
        q.late_days,
        q.answered_at,
        q.closes_at,
        q.hidden_at,
        q.hidden_reason,
    )


SELECT_BY_REF = "SELECT * FROM question WHERE ref = $1"
SELECT_BY_ID = "SELECT * FROM question WHERE id = $1"


async def select_by_ref(conn: Connection, ref: str) -> Question | None:
    row = await conn.fetchrow(SELECT_BY_REF, ref)
    return _question(row) if row else None


async def select_by_id(conn: Connection, question_id: UUID) -> Question | None:
    row = await conn.fetchrow(SELECT_BY_ID, question_id)
    return _question(row) if row else None


SELECT_WORDS = """
SELECT w.*, k.key FROM question_word w LEFT JOIN shred_key k ON k.aggregate_id = w.question_id::text
WHERE w.question_id = ANY($1::uuid[]) ORDER BY w.question_id, w.number
"""


async def select_words(conn: Connection, questions: Sequence[Question]) -> dict[UUID, list[Word]]:
    """What was said of some questions, in order; the text of what was sealed under a destroyed key is None."""
    found: dict[UUID, list[Word]] = {q.id: [] for q in questions}
    if questions:
        for row in await conn.fetch(SELECT_WORDS, list(found)):
            found[row["question_id"]].append(_word(row))
    return found


SELECT_LIST = """
SELECT * FROM question WHERE village_code = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""


async def select_list(conn: Connection, village: str, after: UUID | None, limit: int) -> list[Question]:
    """A village's questions, newest first."""
    return [_question(r) for r in await conn.fetch(SELECT_LIST, village, after, limit)]


#: The newest that wait for an answer, and the newest of the others.
SELECT_SHORT = """
SELECT q.* FROM unnest($1::text[]) AS v (code) CROSS JOIN LATERAL (
    (SELECT * FROM question WHERE village_code = v.code AND state IN ('asked', 'township') ORDER BY id DESC LIMIT $2)
    UNION ALL
    (SELECT * FROM question WHERE village_code = v.code AND state IN ('answered', 'hidden') ORDER BY id DESC LIMIT $2)
) q
"""
SELECT_OF_DISCLOSURES = """
SELECT q.* FROM unnest($1::text[]) AS d (id) CROSS JOIN LATERAL (
    SELECT * FROM question WHERE disclosure_id = d.id ORDER BY id DESC LIMIT $2
) q
"""


async def select_short(conn: Connection, villages: Sequence[str], limit: int) -> dict[str, list[Question]]:
    """A few questions of each of some villages: those that wait for an answer first, newest first."""
    found: dict[str, list[Question]] = {}
    for row in await conn.fetch(SELECT_SHORT, list(villages), limit):
        found.setdefault(row["village_code"], []).append(_question(row))
    return found


async def select_of_disclosures(conn: Connection, ids: Sequence[str], limit: int) -> dict[str, list[Question]]:
    """The newest questions about each of some disclosures."""
    found: dict[str, list[Question]] = {}
    for row in await conn.fetch(SELECT_OF_DISCLOSURES, list(ids), limit):
        found.setdefault(row["disclosure_id"], []).append(_question(row))
    return found


SELECT_TALLIES = """
SELECT village_code, count(*) AS open, count(*) FILTER (WHERE due < $2) AS overdue
FROM question WHERE state IN ('asked', 'township') AND village_code = ANY($1::text[]) GROUP BY village_code
"""


async def select_tallies(conn: Connection, villages: Sequence[str], today: date) -> dict[str, Tally]:
    """How many questions wait in each of some villages that has any, and how many of them longer than they should."""
    rows = await conn.fetch(SELECT_TALLIES, list(villages), today)
    return {r["village_code"]: Tally(r["open"], r["overdue"]) for r in rows}


COUNT_BY_CELL = """
SELECT village_code, item, period, count(*) AS open FROM question
WHERE state IN ('asked', 'township') AND item IS NOT NULL AND period IS NOT NULL AND village_code = ANY($1::text[])
GROUP BY village_code, item, period
"""


async def count_by_cell(conn: Connection, villages: Sequence[str]) -> dict[str, Mapping[CellKey, int]]:
    """How many open questions stand on cells of some villages."""
    found: dict[str, dict[CellKey, int]] = {}
    for r in await conn.fetch(COUNT_BY_CELL, list(villages)):
        found.setdefault(r["village_code"], {})[CellKey(r["item"], r["period"])] = r["open"]
    return dict(found)


TAKE_CONTACTS = """
UPDATE question SET has_contact = false WHERE id IN (
    SELECT id FROM question WHERE has_contact AND closes_at <= $1 ORDER BY closes_at LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
TAKE_HIDDEN = """
UPDATE question SET has_words = false, has_contact = false WHERE id IN (
    SELECT id FROM question WHERE state = 'hidden' AND has_words AND hidden_at <= $1
    ORDER BY hidden_at LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


async def take_contacts(conn: Connection, now: datetime, limit: int) -> list[UUID]:
    """Note that contacts of questions that are over are destroyed; whose they are."""
    return [r["id"] for r in await conn.fetch(TAKE_CONTACTS, now, limit)]


async def take_hidden(conn: Connection, until: datetime, limit: int) -> list[UUID]:
    """Note that words of questions hidden before a moment are destroyed; whose they are."""
    return [r["id"] for r in await conn.fetch(TAKE_HIDDEN, until, limit)]


def _question(row: Row) -> Question:
    asked = Asked(
        village_code=row["village_code"],
        kind=QuestionKind(row["kind"]),
        shows=row["shows"],
        paper=Paper(row["paper"]) if row["paper"] is not None else None,
        item=row["item"],
        period=row["period"],
        disclosure_id=row["disclosure_id"],
        edition=row["edition"],
        line=row["line"],
    )
    names = ("id", "ref", "holder", "due", "rounds", "late_days", "asked_at", "answered_at", "closes_at")
    more = ("hidden_at", "hidden_reason", "has_contact", "joined", "joint_at", "joint_then", "joint_due")
    return Question(asked=asked, state=QuestionState(row["state"]), **{name: row[name] for name in (*names, *more)})


def _word(row: Row) -> Word:
    word = Word(row["kind"], row["holder"], row["at"], row["due"], row["disclosure_id"], None)
    if row["sealed"] is None or row["key"] is None:
        return word
    place = f"word/{row['number']}"
    return replace(word, text=reopen(row["key"], str(row["question_id"]), place, row["sealed"]).decode())
