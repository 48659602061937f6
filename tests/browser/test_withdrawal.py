"""A withdrawal: who can still read what at once, and what tables, topics and files hold once two people agreed."""

import io
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from PIL import Image

from tests.browser import steps, traces
from tests.browser.conftest import People
from tests.browser.steps import DESK, REVIEWER, TOWNSHIP, call
from tests.running import RunningCity

VILLAGE = f"{TOWNSHIP}202"
PERIOD = "2026-03"
#: Stands in everything that is to go: lines, notes, reasons, words of supervisors, a file's title.
MARKER = f"ZQ{secrets.token_hex(6)}"
REASON = "误把别村的账录到了本村，撤回重录。"


@dataclass(frozen=True)
class Going:
    """What is to go: a disclosure, its file, and bytes that stand in nothing else."""

    disclosure: str
    digest: str
    marks: tuple[bytes, ...]


def picture() -> bytes:
    """A receipt as PDF that no other is like; what is kept closed as it came holds the marker too."""
    file = io.BytesIO()
    Image.frombytes("L", (150, 100), secrets.token_bytes(15_000)).save(file, "PDF")
    return file.getvalue() + f"\n%{MARKER}\n".encode()


def uploaded(city: RunningCity) -> tuple[str, bytes]:
    """A file's digest and some bytes of what was kept of it, for it was written anew."""
    headers = {"authorization": f"Bearer {city.token(f'clerk-{VILLAGE}')}"}
    answer = httpx2.post(
        f"{city.url}/ingest/v1/attachments",
        headers=headers,
        data={"village": VILLAGE},
        files={"file": ("收据.pdf", picture(), "application/pdf")},
        timeout=60,
    )
    digest = str(answer.raise_for_status().json()["digest"])
    kept = httpx2.get(f"{city.url}/desk/attachments/{digest}", headers=headers).raise_for_status().content
    return digest, kept[len(kept) // 2 :][:24]


def told_everywhere(city: RunningCity) -> Going:
    """A disclosure that was returned, found fault with, objected to, published and corrected, the marker in all of it."""
    digest, mark = uploaded(city)
    body = steps.paid(f"{PERIOD}-09", f"付工程款 {MARKER}", 90_000)
    body["attachments"] = [{"digest": digest, "title": f"收据 {MARKER}"}]
    body["totals"] = {"income_fen": 0, "expense_fen": 80_000}
    disclosure = steps.drafted(city, VILLAGE, PERIOD, body)
    path = f"{DESK}/{disclosure}"
    accept = [{"finding": "ledger.total", "reason": f"合计另有说明 {MARKER}"}]
    steps.hand_in(city, VILLAGE, disclosure, accept=accept)
    call(city, REVIEWER, f"{path}/return", {"version": 1, "reason": f"请核对 {MARKER}", "lines": []})
    steps.hand_in(city, VILLAGE, disclosure, accept=accept)
    dissent = {"version": 1, "opinion": "dissent", "reason": f"金额不对 {MARKER}"}
    call(city, f"supervisor-{VILLAGE}-2", f"{path}/confirm", dissent)
    steps.let_out(city, VILLAGE, disclosure)
    body["lines"][0]["summary"] = f"付修路工程款 {MARKER}"
    call(city, f"clerk-{VILLAGE}", f"{path}/correct", {"version": 1, "note": f"更正事由 {MARKER}", "body": body})
    steps.hand_in(city, VILLAGE, disclosure, 2, accept=accept)
    steps.let_out(city, VILLAGE, disclosure, 2)
    return Going(disclosure, digest, (MARKER.encode(), mark))


def public_places(disclosure: str, digest: str) -> list[str]:
    return [
        f"/d/{disclosure}",
        f"/d/{disclosure}/1",
        f"/d/{disclosure}/2",
        f"/v/{VILLAGE}",
        f"/v/{VILLAGE}/F01",
        f"/t/{TOWNSHIP}",
        "/",
        f"/api/v1/disclosures/{disclosure}",
        f"/api/v1/villages/{VILLAGE}/disclosures",
        f"/objects/{digest}",
    ]


def shown(city: RunningCity, going: Going) -> set[str]:
    """Where anybody, or staff, can still read it over HTTP."""
    of, paths = going.disclosure, public_places(going.disclosure, going.digest)
    desk = (f"/desk/disclosures/{of}", f"{DESK}/{of}", f"{DESK}?village={VILLAGE}", f"/desk/attachments/{going.digest}")
    with httpx2.Client(base_url=city.url, timeout=30) as http:
        found = {p for p in paths if _is_in(http.get(p).content, going)}
        found |= {"/api/v1/changes" for c in steps.changes(city) if MARKER in str(c)}
        for user in (f"clerk-{VILLAGE}", REVIEWER):
            headers = {"authorization": f"Bearer {city.token(user)}"}
            found |= {p for p in desk if _is_in(http.get(p, headers=headers).content, going)}
    return found


def _is_in(content: bytes, going: Going) -> bool:
    return any(mark in content for mark in going.marks)


async def last_shown(city: RunningCity, going: Going) -> float:
    """The moment at which nobody but those who watch over it could read it any more; its file lies in the store, unserved."""
    end = time.monotonic() + 10
    while True:
        left = shown(city, going) or traces.on_disk(city, *going.marks) - {"objects/"}
        if not left:
            return time.monotonic()
        assert time.monotonic() < end, left


async def last_seen(city: RunningCity, going: Going) -> float:
    """The moment at which everything had been read once more and the marker stood nowhere.

    Topics are looked into afterwards: what stands there is sealed, and only the keys decide.
    """
    end = time.monotonic() + 10
    while True:
        left = shown(city, going) or traces.on_disk(city, *going.marks)
        if not left:
            tables = await traces.in_tables(city)
            moment = time.monotonic()
            left = tables.places_of(MARKER)
            if not left:
                return moment
        assert time.monotonic() < end, left


async def with_topics(city: RunningCity) -> set[str]:
    """Where it can be read in tables and topics with any key that stands in either."""
    found, more = await traces.in_tables(city), await traces.in_topics(city)
    found.plain += more.plain
    found.sealed += more.sealed
    found.keys |= more.keys
    return found.places_of(MARKER)


async def withdraw(people: People, disclosure: str) -> float:
    """The reviewer withdraws it on the page; the moment of the answer."""
    reviewer = await steps.reviewer_of(people)
    await reviewer.open(f"/desk/disclosures/{disclosure}")
    await reviewer.page.get_by_text("撤回", exact=True).first.click()
    await reviewer.page.get_by_label("撤回原因（公开）").fill(REASON)
    await reviewer.page.get_by_label("涉及个人信息").check()
    await reviewer.page.get_by_label("确定撤回").check()
    await reviewer.shoot("23-withdrawing")
    async with reviewer.page.expect_response(lambda r: r.url.endswith("/withdraw")) as answer:
        await reviewer.page.get_by_role("button", name="撤回", exact=True).click()
    assert (await answer.value).status == 303
    return time.monotonic()


async def agreed(people: People, disclosure: str) -> float:
    """An inspector reads it, and agrees that it goes for good; the moment of the answer."""
    inspector = await people()
    await inspector.sign_in(f"inspector-{TOWNSHIP}")
    await inspector.open(f"/desk/disclosures/{disclosure}")
    await inspector.sees(MARKER)
    await inspector.page.get_by_label("确定永久删除").check()
    async with inspector.page.expect_response(lambda r: r.url.endswith("/erase")) as answer:
        await inspector.page.get_by_role("button", name="同意立即永久删除").click()
    assert (await answer.value).status == 303
    return time.monotonic()


async def test_withdrawn_content_is_out_of_sight_and_erased_content_nowhere_two_seconds_later(
    people: People, small_city: RunningCity, record_property: Any
) -> None:
    going = told_everywhere(small_city)
    disclosure = going.disclosure
    assert {f"/d/{disclosure}", f"/d/{disclosure}/1", f"/objects/{going.digest}"} <= shown(small_city, going)
    assert traces.on_disk(small_city, *going.marks) == {"publish/", "objects/"}
    found = await with_topics(small_city)
    assert {"ingest.edition (sealed)", "ingest.attachment (sealed)", "topic sanwu.disclosures (sealed)"} <= found

    answered = await withdraw(people, disclosure)
    hidden = await last_shown(small_city, going) - answered
    record_property("hidden_seconds", f"{hidden:.2f}")
    print(f"out of sight after {hidden:.2f} s")  # noqa: T201 - measured, shown by `pytest -s`
    # The promise is two seconds on a machine that has time; a loaded one must not make the suite red.
    assert hidden < 10
    answered = await agreed(people, disclosure)
    seconds = await last_seen(small_city, going) - answered
    assert await with_topics(small_city) == set()
    record_property("erased_seconds", f"{seconds:.2f}")
    # No promise of seconds: the files' sweep is a job of its own, and `last_seen` waits for it.
    print(f"erased everywhere after {seconds:.2f} s")  # noqa: T201 - measured, shown by `pytest -s`
    tombstone(small_city, going)
    villager = await people()
    await villager.open(f"/d/{disclosure}")
    await villager.sees(f"撤回原因：{REASON}")
    await villager.shoot("24-withdrawn")


def tombstone(city: RunningCity, going: Going) -> None:
    """What programs are told instead."""
    disclosure, digest = going.disclosure, going.digest
    assert httpx2.get(f"{city.url}/api/v1/disclosures/{disclosure}").status_code == 410
    assert httpx2.get(f"{city.url}/d/{disclosure}/1").status_code == 404
    assert httpx2.get(f"{city.url}/objects/{digest}").status_code == 404
    mine = [c["kind"] for c in steps.changes(city) if c["id"] == disclosure]
    assert mine == ["published", "corrected", "withdrawn"]


async def test_a_mistaken_withdrawal_is_public_again_with_its_history(people: People, small_city: RunningCity) -> None:
    body = {"kind": "notice", "title": "机井维修", "paragraphs": ["东头的机井已经修好。"]}
    disclosure = steps.drafted(small_city, VILLAGE, "2026-10-09", body, "V18")
    steps.hand_in(small_city, VILLAGE, disclosure)
    steps.let_out(small_city, VILLAGE, disclosure)
    path = f"{DESK}/{disclosure}"
    call(small_city, REVIEWER, f"{path}/withdraw", {"version": 1, "reason": "以为发错了村。"})
    villager = await people()
    steps.until(lambda: httpx2.get(f"{small_city.url}/d/{disclosure}").status_code == 410)
    call(small_city, REVIEWER, f"{path}/restore", {"version": 1, "reason": "看错了村名，内容没有问题。"})
    steps.until(lambda: "东头的机井已经修好" in httpx2.get(f"{small_city.url}/d/{disclosure}").text)
    await villager.open(f"/d/{disclosure}")
    await villager.sees("又恢复公开。恢复的原因：看错了村名，内容没有问题。")
