"""A question as ingest hears it from publish."""

from datetime import date
from typing import Any, Final
from uuid import uuid4

from services.contracts.question import (
    ContactContent,
    QuestionAsked,
    QuestionContent,
    QuestionKind,
    contact_key,
    make_ref,
)
from services.kit import shred
from tests import builders
from tests.conftest import Served

KEY: Final = "in7zQ0Q/7cyVgJWqFQDOpok2vQz7abHtZSWoEhntJaE="
TEXT: Final = "这笔水管修了两次，为什么付两次钱？"


async def ask(served: Served, number: int = 1, **changes: Any) -> QuestionAsked:
    """Let ingest hear a question, with the keys that publish would have told; as `QuestionAsked`, or its `text` and `contact`."""
    identity, contact = str(uuid4()), changes.pop("contact", None)
    sealed = shred.seal_under(KEY, identity, "question.asked.v1", QuestionContent(text=changes.pop("text", TEXT)))
    name = contact_key(identity)
    async with served.runtime.database.transaction() as conn:
        for each in (identity, name):
            await shred.save_key(conn, each, KEY)
    holder = changes.pop("holder", "village")
    of = {
        "kind": QuestionKind.DOUBT,
        "shows": "question",
        "paper": None,
        "item": "F01",
        "period": "2026-10",
        "disclosure": None,
        "edition": None,
        "line": None,
        **changes,
    }
    village = of.pop("village", builders.VILLAGE)
    event = QuestionAsked(
        **{**builders.stamp(identity, 1, village, served.clock.at), "village_code": village},
        ref=make_ref(number * 7919),
        due=date(2026, 11, 27),
        holder=holder,
        asked_at=served.clock.at,
        sealed=sealed,
        contact=shred.seal_under(KEY, name, "question.asked.v1", ContactContent(contact=contact)) if contact else None,
        **of,
    )
    await served.hear(event)
    return event
