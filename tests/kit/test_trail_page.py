"""The trail's page in every service that staff act in."""

import pytest

from tests import builders
from tests.conftest import ServiceFactory

PAGES = [
    ("registry", "/admin/actions"),
    ("ingest", "/desk/actions"),
    ("audit", "/inspect/actions"),
    ("qr", "/posters/actions"),
]


@pytest.mark.parametrize(("name", "path"), PAGES)
async def test_operators_and_inspectors_look_clerks_do_not(service: ServiceFactory, name: str, path: str) -> None:
    served = await service(name)
    for user, status in (("operator", 200), ("inspector-210881006", 200), ("clerk-210881006206", 403)):
        answer = await served.client.get(path, headers={**served.bearer(user), "accept": "text/html"})
        assert answer.status_code == status, answer.text
        assert ("操作记录" in answer.text) == (status == 200)


async def test_what_a_clerk_did_is_found_by_name_and_by_day(service: ServiceFactory) -> None:
    served = await service("ingest")
    clerk = served.bearer("clerk-210881006206")
    made = await served.client.post("/ingest/v1/disclosures", json=builders.disclosure(), headers=clerk)
    assert made.status_code == 201, made.text
    for query, found in (
        ("actor=clerk-210881006206", True),
        ("actor=reviewer-210881006", False),
        ("since=2026-11-24", True),
        ("since=2026-11-25", False),
        ("actor=&object=&since=", True),
    ):
        answer = await served.client.get(f"/desk/actions?{query}", headers=served.bearer("operator"))
        assert ("POST /ingest/v1/disclosures" in answer.text) == found, query
        assert ("没有符合条件的记录" in answer.text) == (not found)


@pytest.mark.parametrize("query", ["since=gestern", "before=-1", "before=9999999999999999999", "actor=" + "x" * 300])
async def test_a_strange_question_is_refused(service: ServiceFactory, query: str) -> None:
    served = await service("ingest")
    answer = await served.client.get(f"/desk/actions?{query}", headers=served.bearer("operator"))
    assert answer.status_code == 422
