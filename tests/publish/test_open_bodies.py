"""What programs are told of a disclosure: bodies by their kind, and every figure that the page says."""

import json
import re
from itertools import product
from typing import Any

import jsonschema_rs
import pytest

from deploy.docs import ROOT
from deploy.local.sample.manifest import content_of, make_plan
from deploy.local.sample.registry import division_rows, villages
from services.contracts.bodies import BODY
from services.contracts.catalogue import Masking
from services.contracts.values import yuan
from services.publish.render.disclosure import masking_of
from services.publish.render.places import item_at
from tests import builders
from tests.publish import bodies
from tests.publish.bodies import public_body

MADE = (
    builders.ledger(),
    *(
        make()
        for make in (bodies.roster, bodies.notice, bodies.decision, bodies.contract, bodies.project, bodies.table)
    ),
)
KINDS = {"ledger", "roster", "notice", "decision", "contract", "project", "table"}


@pytest.fixture(scope="module")
def told() -> Any:
    """What the document tells of a body."""
    document = json.loads((ROOT / "docs/openapi/publish.json").read_text("utf-8"))
    body = document["components"]["schemas"]["DisclosureBodyOut"]["properties"]["body"]
    assert set(body["discriminator"]["mapping"]) == KINDS
    return jsonschema_rs.validator_for({"components": document["components"], **body}, validate_formats=True)


@pytest.mark.parametrize(("body", "masking"), list(product(MADE, Masking)), ids=lambda x: getattr(x, "value", None))
def test_bodies_are_as_the_document_tells_however_names_are_shown(
    told: Any, body: dict[str, Any], masking: Masking
) -> None:
    told.validate(public_body(BODY.validate_python(body), masking))


def test_one_kind_is_not_taken_for_another(told: Any) -> None:
    ledger = public_body(BODY.validate_python(builders.ledger()), Masking.NONE)
    for wrong in ({**ledger, "kind": "roster"}, {**ledger, "kind": "none"}, {**ledger, "accounts": None}, {}):
        assert not told.is_valid(wrong)
    with_reference = {**ledger, "lines": [{**ledger["lines"][0], "date": "gestern"}]}
    assert not told.is_valid(with_reference)


async def test_every_body_of_the_sample_city_is_as_the_document_tells(told: Any, publish: Any) -> None:
    plan = make_plan(villages(division_rows("small")), "2026-10")
    items, seen = publish.served.runtime.reference.items, set()
    for entry in (*plan.entries, *plan.aside):
        body = BODY.validate_python(content_of(plan, entry))
        masking = masking_of(item_at(items, entry.item, entry.period), entry.period, body.kind, builders.NOW.date())
        told.validate(public_body(body, masking, entry.item))
        seen.add(body.kind)
    assert seen == KINDS


def amounts(text: str) -> set[str]:
    """Amounts of yuan in words for people."""
    return set(re.findall(r"[−-]?[0-9][0-9,]*\.[0-9]{2}(?=元)", re.sub(r"<[^>]+>", "", text)))


def fens(told: Any) -> set[str]:
    """Every amount of an answer, as people write it, and how far apart both sides of a check are."""
    if isinstance(told, dict):
        own = {yuan(v) for n, v in told.items() if n.endswith("_fen") and isinstance(v, int)}
        if told.get("computed_fen") is not None:
            own.add(yuan(abs((told["stated_fen"] or 0) - told["computed_fen"])))
        return own.union(*(fens(v) for v in told.values()))
    return set[str]().union(*(fens(v) for v in told)) if isinstance(told, list) else set()


async def test_every_figure_of_the_sentences_is_in_the_json(publish: Any) -> None:
    village = builders.NEIGHBOUR
    await publish.opened(village=village, period="2026-09")
    event = await publish.opened(village=village)
    await publish.rendered()
    page = (await publish.get(f"/v/{village}")).text
    sentences = "".join(
        page.partition(f'<h2 id="{part}">')[2].partition("</section>")[0] for part in ("year", "script")
    )
    told = (await publish.get(f"/api/v1/villages/{village}")).json()
    assert len(amounts(sentences)) >= 5
    assert amounts(sentences) <= fens(told)
    assert (told["month"]["year_months"], told["month"]["year_income_fen"]) == (2, 2 * told["month"]["income_fen"])
    of_page = (await publish.get(f"/d/{event.aggregate_id}")).text
    sums = of_page.partition('<h2 id="sums">')[2].partition("</section>")[0]
    of_json = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert len(amounts(sums)) >= 4
    assert amounts(sums) <= fens(of_json)
    listed = (await publish.get(f"/api/v1/villages/{village}/disclosures?period=2026-10")).json()["items"][0]
    assert {n: of_json[n] for n in listed} == listed


async def test_who_checked_when_and_each_edition_are_told_as_on_the_page(publish: Any) -> None:
    first = await publish.opened(village=builders.FAR_VILLAGE)
    body = builders.ledger()
    body["totals"] = None
    await publish.opened(
        first.aggregate_id, village=builders.FAR_VILLAGE, edition=2, body=body, note="合计没有填，已经删去"
    )
    told = (await publish.get(f"/api/v1/disclosures/{first.aggregate_id}")).json()
    assert [e["version"] for e in told["editions"]] == [1, 2]
    assert told["note"] == "合计没有填，已经删去"
    for edition in told["editions"]:
        page = (await publish.get(edition["url"].partition(":8000")[2])).text
        assert f"第{edition['version']}版" in page


async def test_of_what_was_withdrawn_no_figure_is_left(publish: Any) -> None:
    event = await publish.opened(item="F02", period="2024")
    await publish.withdrawn(event)
    listed = (await publish.get("/api/v1/disclosures?item=F02&period=2024")).json()["items"]
    mine = next(d for d in listed if d["id"] == event.aggregate_id)
    assert {mine[n] for n in mine if n.endswith("_fen")} == {None}
