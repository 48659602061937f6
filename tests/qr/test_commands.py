"""Codes are issued once, replaced on demand, and nothing else."""

import json
import re
from datetime import date

from services.contracts.code import CodeSet
from services.contracts.division import Division, DivisionKind, DivisionRevision, DivisionSet
from tests import builders
from tests.conftest import Served

VILLAGES = ["210881006206", "210881006208", "210881102200"]


async def _codes(qr: Served) -> list[CodeSet]:
    return [CodeSet.model_validate_json(text) for text in await qr.said("code.set.v1")]


async def test_a_registered_village_gets_one_code_for_its_board(qr: Served) -> None:
    said = await _codes(qr)
    assert sorted(e.code.village for e in said) == VILLAGES
    assert {(e.code.purpose, e.code.serial, e.code.state, e.code.place) for e in said} == {("board", 1, "valid", None)}
    assert {(e.aggregate_version, e.actor_role) for e in said} == {(1, "system")}
    assert all(e.aggregate_id == e.code.code and e.village_code == e.code.village for e in said)


async def test_the_record_is_keyed_by_the_code(qr: Served) -> None:
    async with qr.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT topic, key, headers::text AS headers FROM outbox")
    assert {r["topic"] for r in rows} == {"sanwu.codes"}
    assert {r["key"] for r in rows} == {json.loads(r["headers"])["aggregate_id"] for r in rows}
    assert {r["key"] for r in rows} == {e.code.code for e in await _codes(qr)}


async def test_the_same_division_again_or_a_newer_one_issues_no_second_code(qr: Served) -> None:
    await qr.hear(*(e for e in builders.reference_events() if isinstance(e, DivisionSet)))
    renamed = DivisionRevision(
        since=date(2026, 11, 1), name="西海社区", kind=DivisionKind.COMMUNITY, parent=builders.TOWNSHIP
    )
    newer = Division(code=builders.VILLAGE, revisions=(renamed,))
    await qr.hear(DivisionSet(**builders.stamp(builders.VILLAGE, version=2), division=newer))
    assert len(await _codes(qr)) == 3


async def test_no_code_for_city_township_or_zone_until_the_zone_becomes_a_community(qr: Served) -> None:
    assert not {e.code.village for e in await _codes(qr)} & {"210881", "210881006", builders.ZONE}
    zone = builders.division("210881005401", "某开发区", DivisionKind.ZONE, "210881005")
    await qr.hear(DivisionSet(**builders.stamp(zone.code), division=zone))
    assert "210881005401" not in {e.code.village for e in await _codes(qr)}
    settled = builders.division("210881005401", "某社区", DivisionKind.COMMUNITY, "210881005")
    await qr.hear(DivisionSet(**builders.stamp(zone.code, version=2), division=settled))
    assert [e.code.serial for e in await _codes(qr) if e.code.village == "210881005401"] == [1]


async def test_codes_are_eight_characters_that_tell_nothing(qr: Served) -> None:
    codes = [e.code.code for e in await _codes(qr)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{8}", code) for code in codes)
    assert not [code for code in codes for village in VILLAGES if code in village or village[-6:] in code]


async def test_rebuilding_issues_nothing(qr: Served) -> None:
    before = await qr.said("code.set.v1")
    async with qr.runtime.database.transaction() as conn:
        for event in builders.reference_events():
            if (handler := qr.service.project.get(type(event))) is not None:
                await handler(qr.handling(conn), event)
    assert await qr.said("code.set.v1") == before
