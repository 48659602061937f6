"""The last four digits of households' cards, turned into what the household alone can ask for; the digits go no further."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import SecretStr

from services.contracts.bodies import Roster
from services.contracts.bodies.roster import Entry
from services.contracts.households import belongs, household_ref
from services.ingest.commands.findings import Content
from services.kit.errors import Fault, InvalidInputError

_OFF = "本市没有开通“家里的一行”，请把卡号后四位清空"


def with_households(content: Content, key: SecretStr | None) -> Content:
    """The same content, its rows bound to those who may ask for them; InvalidInputError for digits in a city where nobody can.

    A row whose name was changed since is bound to nobody any more.
    """
    body = content.body
    if not isinstance(body, Roster):
        return content
    if key is None and (faults := [Fault(at, _OFF) for at in _typed(body)]):
        raise InvalidInputError(faults=faults)
    secret = key.get_secret_value().encode() if key is not None else None
    bound = tuple(_bound(entry, secret) for entry in body.entries)
    return content if bound == body.entries else replace(content, body=body.model_copy(update={"entries": bound}))


def _typed(body: Roster) -> Iterator[str]:
    return (f"body.entries[{n}].card_tail" for n, entry in enumerate(body.entries) if entry.card_tail is not None)


def _bound(entry: Entry, key: bytes | None) -> Entry:
    if key is not None and entry.card_tail is not None:
        ref = household_ref(key, entry.name, entry.card_tail)
        return entry.model_copy(update={"household": ref, "card_tail": None})
    if entry.household is not None and (key is None or not belongs(key, entry.name, entry.household)):
        return entry.model_copy(update={"household": None})
    return entry
