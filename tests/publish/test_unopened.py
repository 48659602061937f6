"""What villages say they do not open, and what did not happen: three things that must not look alike."""

import uuid
from datetime import date
from typing import Any

from services.contracts.disclosure import (
    DeclarationConfirmed,
    DeclaredItem,
    WaiverContent,
    WaiverEnded,
    WaiverGranted,
    WaiverRefused,
)
from services.kit.shred import save_key, seal
from tests import builders

SAID = "村民李春生举报后，账本被检察机关调走，正在复制"
#: As everybody reads it: who told on whom is nobody's business.
REASON = "村民李某某举报后，账本被检察机关调走，正在复制"


async def heard_of(publish: Any, kind: Any, waiver_id: str, version: int, *, lost: bool = False) -> Any:
    tag = kind.model_fields["type"].default
    async with publish.served.runtime.database.transaction() as conn:
        sealed = await seal(conn, waiver_id, tag, WaiverContent(reason=SAID), builders.NOW)
        if lost:
            await save_key(conn, waiver_id, None)
    event = kind(
        **{**builders.stamp(waiver_id, version), "village_code": builders.NEIGHBOUR},
        item="F02", period="2026Q3", sealed=sealed,
    )  # fmt: skip
    await publish.served.hear(event)
    await publish.rendered()
    return event


async def cell(publish: Any, item: str, period: str) -> dict[str, Any]:
    answer = (await publish.get(f"/api/v1/villages/{builders.NEIGHBOUR}/duties?period={period}&limit=200")).json()
    found: dict[str, Any] = next(c for c in answer["items"] if c["item"] == item)
    return found


async def page(publish: Any) -> str:
    text: str = (await publish.get(f"/v/{builders.NEIGHBOUR}")).text
    return text


async def test_waiver_is_shown_with_its_reason_until_it_ends(publish: Any) -> None:
    assert (await cell(publish, "F02", "2026Q3"))["state"] == "not_opened"
    waiver_id = str(uuid.uuid4())
    granted = await heard_of(publish, WaiverGranted, waiver_id, 2)
    found = await cell(publish, "F02", "2026Q3")
    assert (found["state"], found["waiver"], found["held_by"]) == ("waived", REASON, None)
    assert REASON in await page(publish)
    assert "不公开（已备案" in await page(publish)
    await heard_of(publish, WaiverEnded, waiver_id, 3)
    assert (await cell(publish, "F02", "2026Q3"))["state"] == "not_opened"
    assert REASON not in await page(publish)
    # The grant comes once more, late.
    await publish.served.hear(granted)
    assert (await cell(publish, "F02", "2026Q3"))["state"] == "not_opened"


async def test_refused_waiver_changes_nothing_and_its_reason_is_nobodys_business(publish: Any) -> None:
    await heard_of(publish, WaiverRefused, str(uuid.uuid4()), 2)
    assert (await cell(publish, "F02", "2026Q3"))["state"] == "not_opened"
    assert REASON not in await page(publish)


async def test_waiver_whose_key_is_gone_still_stands_without_its_reason(publish: Any) -> None:
    waiver_id = str(uuid.uuid4())
    await heard_of(publish, WaiverGranted, waiver_id, 2, lost=True)
    found = await cell(publish, "F02", "2026Q3")
    assert (found["state"], found["waiver"]) == ("waived", None)
    assert REASON not in await page(publish)


def declared(edition: int, **answers: tuple[date, ...]) -> DeclarationConfirmed:
    return DeclarationConfirmed(
        **{**builders.stamp(f"{builders.NEIGHBOUR}:2026Q3", 2 * edition), "village_code": builders.NEIGHBOUR},
        quarter="2026Q3",
        edition=edition,
        answers=tuple(DeclaredItem(item=i, days=days) for i, days in answers.items()),
    )


async def test_quarter_says_what_did_not_happen_and_each_event_day_becomes_a_duty(publish: Any) -> None:
    first = declared(1, V08=(), V10=(date(2026, 9, 14),))
    await publish.served.hear(first, first)
    await publish.rendered()
    assert (await cell(publish, "V08", "2026Q3"))["state"] == "nil"
    event = await cell(publish, "V10", "2026-09-14")
    assert (event["state"], event["due"], event["held_by"]) == ("not_opened", "2026-09-24", "village")
    assert "这段时间没有这件事" in await page(publish)
    await publish.served.hear(declared(2, V08=(date(2026, 9, 20),), V10=()), first)
    assert (await cell(publish, "V08", "2026-09-20"))["state"] == "not_opened"
    assert (await cell(publish, "V10", "2026Q3"))["state"] == "nil"


async def test_every_item_that_applies_stands_on_the_village_page_with_its_state(publish: Any) -> None:
    text = await page(publish)
    for item in ("P01", "P08", "V01", "V13", "F01", "F11"):
        assert f'href="/v/{builders.NEIGHBOUR}/{item}"' in text, item


async def test_page_of_an_item_tells_what_is_open_what_is_missing_and_why(publish: Any) -> None:
    await heard_of(publish, WaiverGranted, str(uuid.uuid4()), 2)
    assert REASON in (await publish.get(f"/v/{builders.NEIGHBOUR}/F02")).text
    text = (await publish.get(f"/v/{builders.NEIGHBOUR}/F01")).text
    assert "还没有公开过这一项" in text
    assert "还没公开，已晚8天" in text
    assert REASON not in text
    assert "还没公开，已晚" not in (await publish.get(f"/v/{builders.NEIGHBOUR}/P01")).text


async def test_the_duties_of_one_period_are_those_of_all_that_are_of_it(publish: Any) -> None:
    await publish.opened(village=builders.NEIGHBOUR, period="2026-09")
    answers = (DeclaredItem(item="P02", days=(date(2026, 8, 10),)), DeclaredItem(item="F07", days=()))
    frame = {**builders.stamp(f"{builders.NEIGHBOUR}:2026Q3", 9), "village_code": builders.NEIGHBOUR}
    await publish.served.hear(DeclarationConfirmed(**frame, quarter="2026Q3", edition=9, answers=answers))
    address, place = f"/api/v1/villages/{builders.NEIGHBOUR}/duties?limit=200", ""
    whole: list[dict[str, Any]] = []
    while place is not None:
        part = (await publish.get(f"{address}{place and f'&after={place}'}")).json()
        whole, place = [*whole, *part["items"]], part["next"]
    periods = {duty["period"] for duty in whole}
    assert {"2026-09", "2026Q3", "2026-08-10"} <= periods
    for period in periods:
        asked = (await publish.get(f"{address}&period={period}")).json()["items"]
        known = [duty for duty in whole if duty["period"] == period]
        # Of one period what is not due yet is told as well.
        assert [duty for duty in asked if duty in known] == known
        assert {duty["state"] for duty in asked if duty not in known} <= {"not_due"}
