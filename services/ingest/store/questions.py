"""Questions of villagers as the desk has them; words rest sealed under the question's own key, which publish made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.contracts.catalogue import JointThen
from services.contracts.duties import CellKey
from services.contracts.question import Answerer, QuestionAsked, QuestionJoined, QuestionState, contact_key
from services.kit.db import Connection, Row, affected
from services.kit.shred import close, reopen


@dataclass(frozen=True, slots=True)
class Question:
    """A question at the desk; `has_contact`: whoever asked said how to be reached."""

    id: UUID
    ref: str
    village_code: str
    kind: str
    shows: str
    paper: str | None
    item: str | None
    period: str | None
    disclosure_id: str | None
    line: int | None
    state: QuestionState
    holder: Answerer
    due: date
    rounds: int
    asked_at: datetime
    has_contact: bool
    joined: int = 0
    joint_then: JointThen | None = None
    joint_due: date | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was said; `text` is None where nothing was written, or its key is gone. `by_role`: of a member of staff."""

    kind: str
    by_role: str | None
    at: datetime
    text: str | None


def _question(row: Row) -> Question:
    names = Question.__dataclass_fields__.keys() - {"state", "has_contact"}
    values = {name: row[name] for name in names}
    return Question(**values, state=QuestionState(row["state"]), has_contact=row["contact_sealed"] is not None)


INSERT_QUESTION = """
INSERT INTO question (id, ref, village_code, kind, shows, paper, item, period, disclosure_id, line, state, holder, due,
                      asked_at, contact_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (id) DO NOTHING
"""


async def insert_question(conn: Connection, event: QuestionAsked, contact: bytes | None) -> bool:
    """Keep what was asked; False when it was heard before."""
    status = await conn.execute(
        INSERT_QUESTION,
        UUID(event.aggregate_id),
        event.ref,
        event.village_code,
        event.kind.value,
        event.shows,
        event.paper.value if event.paper is not None else None,
        event.item,
        event.period,
        event.disclosure,
        event.line,
        (QuestionState.ASKED if event.holder == "village" else QuestionState.TOWNSHIP).value,
        event.holder,
        event.due,
        event.occurred_at,
        contact,
    )
    return affected(status) == 1


def close_contact(key: str, question_id: str, contact: str) -> bytes:
    """How whoever asked can be reached, as it rests: under its own key."""
    return close(key, contact_key(question_id), "contact", contact.encode())


@dataclass(frozen=True, slots=True)
class Said:
    """One thing to be kept; `key` seals its text, `reason` is public as it is."""

    kind: str
    at: datetime
    by_role: str | None = None
    text: str = ""
    key: str | None = None
    reason: str | None = None


COUNT_WORDS = "SELECT count(*) FROM question_word WHERE question_id = $1"
INSERT_WORD = """
INSERT INTO question_word (question_id, number, kind, by_role, at, sealed, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def insert_word(conn: Connection, question_id: UUID, said: Said) -> None:
    """Keep what was said of a question that the caller has locked or just inserted."""
    number = 1 + await conn.fetchval(COUNT_WORDS, question_id)
    sealed = close(said.key, str(question_id), f"word/{number}", said.text.encode()) if said.key is not None else None
    await conn.execute(INSERT_WORD, question_id, number, said.kind, said.by_role, said.at, sealed, said.reason)


LOCK_QUESTION = "SELECT * FROM question WHERE id = $1 FOR UPDATE"
LOCK_BY_REF = "SELECT * FROM question WHERE ref = $1 FOR UPDATE"
SELECT_BY_REF = "SELECT * FROM question WHERE ref = $1"


async def lock_question(conn: Connection, question_id: UUID) -> Question | None:
    row = await conn.fetchrow(LOCK_QUESTION, question_id)
    return _question(row) if row else None


async def lock_by_ref(conn: Connection, ref: str) -> Question | None:
    row = await conn.fetchrow(LOCK_BY_REF, ref)
    return _question(row) if row else None


async def select_by_ref(conn: Connection, ref: str) -> Question | None:
    row = await conn.fetchrow(SELECT_BY_REF, ref)
    return _question(row) if row else None


UPDATE_QUESTION = "UPDATE question SET state = $2, holder = $3, due = $4, rounds = $5 WHERE id = $1"


async def update_question(conn: Connection, q: Question) -> None:
    """Store where a question stands now."""
    await conn.execute(UPDATE_QUESTION, q.id, q.state.value, q.holder, q.due, q.rounds)


UPDATE_JOINED = """
UPDATE question SET joined = $2, joint_then = $3, joint_due = $4 WHERE id = $1 AND joined < $2
"""


async def update_joined(conn: Connection, event: QuestionJoined) -> None:
    """Store how often a question was joined, unless more is known."""
    identity = UUID(event.aggregate_id)
    await conn.execute(UPDATE_JOINED, identity, event.joined, event.joint_then, event.joint_due)


SELECT_WORDS = """
SELECT w.*, k.key FROM question_word w LEFT JOIN shred_key k ON k.aggregate_id = w.question_id::text
WHERE w.question_id = ANY($1::uuid[]) ORDER BY w.question_id, w.number
"""


async def select_words(conn: Connection, questions: Sequence[Question]) -> dict[UUID, list[Word]]:
    """What was said of some questions, in order."""
    found: dict[UUID, list[Word]] = {q.id: [] for q in questions}
    if questions:
        for row in await conn.fetch(SELECT_WORDS, list(found)):
            found[row["question_id"]].append(_word(row))
    return found


def _word(row: Row) -> Word:
    text = row["reason"]
    if row["sealed"] is not None and row["key"] is not None:
        text = reopen(row["key"], str(row["question_id"]), f"word/{row['number']}", row["sealed"]).decode()
    return Word(row["kind"], row["by_role"], row["at"], text or None)


SELECT_CONTACT = """
SELECT q.contact_sealed, k.key FROM question q JOIN shred_key k ON k.aggregate_id = q.id::text || ':contact'
WHERE q.id = $1 AND q.contact_sealed IS NOT NULL AND k.key IS NOT NULL
"""


async def select_contact(conn: Connection, question_id: UUID) -> str | None:
    """How whoever asked can be reached; None where they did not say, or its key is gone."""
    row = await conn.fetchrow(SELECT_CONTACT, question_id)
    if row is None:
        return None
    return reopen(row["key"], contact_key(str(question_id)), "contact", row["contact_sealed"]).decode()


SELECT_QUESTIONS = """
SELECT * FROM question WHERE village_code = ANY($1::text[]) AND ($2::uuid IS NULL OR id < $2)
  AND ($3::text[] IS NULL OR item IS NULL OR item = ANY($3)) AND ($5::text IS NULL OR state = $5)
ORDER BY id DESC LIMIT $4
"""


async def select_questions(
    conn: Connection,
    villages: Sequence[str],
    items: Sequence[str] | None,
    state: str | None,
    place: tuple[UUID | None, int],
) -> list[Question]:
    """Questions of some villages, newest first, behind a place and so many; about some items only, if any are named."""
    after, limit = place
    return [_question(r) for r in await conn.fetch(SELECT_QUESTIONS, list(villages), after, items, limit, state)]


SELECT_OPEN = """
SELECT * FROM question WHERE village_code = ANY($1::text[]) AND state IN ('asked', 'township')
  AND ($2::text[] IS NULL OR item IS NULL OR item = ANY($2))
ORDER BY due, id LIMIT $3
"""


async def select_open(
    conn: Connection, villages: Sequence[str], items: Sequence[str] | None, limit: int
) -> list[Question]:
    """Questions that wait for an answer, the most urgent first."""
    return [_question(r) for r in await conn.fetch(SELECT_OPEN, list(villages), items, limit)]


COUNT_BY_CELL = """
SELECT village_code, item, period, count(*) AS open FROM question
WHERE village_code = ANY($1::text[]) AND state IN ('asked', 'township') AND item IS NOT NULL AND period IS NOT NULL
GROUP BY village_code, item, period
"""


async def count_by_cell(conn: Connection, villages: Sequence[str]) -> dict[str, Mapping[CellKey, int]]:
    """How many open questions stand on cells of some villages."""
    found: dict[str, dict[CellKey, int]] = {}
    for r in await conn.fetch(COUNT_BY_CELL, list(villages)):
        found.setdefault(r["village_code"], {})[CellKey(r["item"], r["period"])] = r["open"]
    return dict(found)
