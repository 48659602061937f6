"""Contents of made disclosures, closed by the services' own code: a body per item, under a key of each disclosure."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from hashlib import sha256
from multiprocessing import get_context
from typing import Final, NamedTuple

from pydantic import SecretStr

from deploy.local.sample.items import body_of
from services.contracts.bodies import BODY, Body, Ledger
from services.ingest.store.contents import Edition as Entered
from services.ingest.store.contents import Said as Words
from services.ingest.store.contents import close_body, close_remarks, close_said, remarks_of
from services.kit import shred
from services.publish.render.rows import Said
from services.publish.store.publications import close_edition
from tests import builders

#: One key opens them all; each rests wrapped for its own disclosure.
KEY: Final = b64encode(sha256(b"the benchmarks' key").digest()).decode()
_LINES: Final = 20
_AT_ONCE: Final = 2000


class Made(NamedTuple):
    """A disclosure to be closed."""

    id: str
    item: str
    village: str


class Closed(NamedTuple):
    """Its key, and its content as publish keeps it; content, remarks and the supervisor's word as ingest does."""

    id: str
    key: str
    public: bytes
    body: bytes
    remarks: bytes
    said: bytes


def ledger() -> Ledger:
    """As much comes in as goes out, in lines that are about as long as people write them."""
    line = {"date": "2016-11-03", "summary": "付村内道路零星工程款", "amount_fen": 100_000, "account": "bank"}
    lines = [{**line, "direction": ("in", "out")[n % 2], "voucher": {"word": "记", "no": n + 1}} for n in range(_LINES)]
    accounts = [{"account": "bank", "opening_fen": 5_000_000, "closing_fen": 5_000_000}]
    return Ledger.model_validate({"kind": "ledger", "accounts": accounts, "lines": lines})


@cache
def body(item: str) -> Body:
    """The one body of an item."""
    made = BODY.validate_python(body_of(item, builders.VILLAGE, "2026-10-20")) if item != "F01" else None
    return ledger() if made is None or isinstance(made, Ledger) else made


def close_all(made: Sequence[Made], key_seal: str | None, workers: int) -> Iterator[list[Closed]]:
    """Close them, so many at once, in their order."""
    batches = (made[n : n + _AT_ONCE] for n in range(0, len(made), _AT_ONCE))
    # Started anew: who calls this may have threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_close_some, key_seal), batches)


def _close_some(key_seal: str | None, made: Sequence[Made]) -> list[Closed]:
    shred.use_key_seal(SecretStr(key_seal) if key_seal is not None else None)
    return [_close(m) for m in made]


def _close(of: Made) -> Closed:
    key, content = shred.wrap(of.id, KEY), body(of.item)
    place = (1, "supervisors", f"supervisor-{of.village}")
    return Closed(
        of.id,
        key,
        close_edition(key, of.id, 1, content.model_dump_json(), Said()),
        close_body(key, of.id, 1, content),
        close_remarks(key, of.id, 1, remarks_of(Entered(content))),
        close_said(key, of.id, place, Words(names=("某人",), reason=None)),
    )
