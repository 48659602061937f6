"""Signing in and reading the registry over HTTP."""

from tests.conftest import ServiceFactory


async def test_operator_reads_divisions_page_by_page(service: ServiceFactory) -> None:
    registry = await service("registry")
    first = await registry.client.get("/registry/v1/divisions?limit=5", headers=registry.bearer("operator"))
    assert first.status_code == 200, first.text
    assert [d["code"] for d in first.json()["items"]][:2] == ["210881", "210881005"]
    rest = await registry.client.get(
        f"/registry/v1/divisions?cursor={first.json()['next']}", headers=registry.bearer("operator")
    )
    assert len(rest.json()["items"]) == 3
    assert rest.json()["next"] is None
