"""Clerks, supervisors and reviewers at work: everything of the plan from draft to public.

The loader asks the city how far each entry is and goes on from there; its only memory is the city's own. Time from
the approval's answer to the public page is polled from outside, on the public address.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from deploy.local.sample.city import AbsentError, CityClient, Refused
from deploy.local.sample.manifest import Declared, Entry, Plan, Waived, content_of, corrected
from deploy.local.sample.pictures import drawn
from deploy.local.sample.registry import Village

DISCLOSURES: Final = "/ingest/v1/disclosures"
#: Villages at work at the same time.
CROWD: Final = 12
_POLL_S: Final = 0.1
_VISIBLE_LIMIT_S: Final = 120.0
_REASON: Final = "账簿即如此记载，已核对原始凭证，请镇街审核时留意。"
_RETURN_REASON: Final = "请补写实到人数，并和签到表核对。"
_NOTE: Final = "两笔银行支出的金额记反了，各差 10 元，合计不变，现予更正。"
#: Who ticks 保密审查 for the township's party items.
_SECRECY: Final = "镇街党政办 王宣"


@dataclass(slots=True)
class Progress:
    """How far the load is; `visible_s` are the times from approval to the public page."""

    entered: Callable[[], None]
    visible_s: list[float] = field(default_factory=list)
    #: What was left out, and why: people have worked here, and nothing is done in their place.
    left_out: list[str] = field(default_factory=list)

    @property
    def did_anything(self) -> bool:
        """Tell whether anything had to be let out."""
        return bool(self.visible_s)


@dataclass(frozen=True, slots=True)
class Work:
    """One load: the city, what is to be done, the catalogue and what the city knew when it began."""

    city: CityClient
    plan: Plan
    progress: Progress
    catalogue: Sequence[Mapping[str, Any]]
    known: Mapping[tuple[str, str, str], Any]
    #: Waivers that were filed, by cell.
    waivers: Mapping[tuple[str, str, str], Any]

    @property
    def secret(self) -> set[str]:
        """Items that need a word on secrecy."""
        return {i["code"] for i in self.catalogue if i["secrecy"]}


async def load(city: CityClient, plan: Plan, progress: Progress) -> None:
    """Bring everything to the public pages; villages in parallel, a village's entries one after the other."""
    known: dict[tuple[str, str, str], Any] = {}
    async for d in city.items(DISCLOSURES, "operator"):
        cell = d["village"], d["item"], d["period"]
        # What somebody withdrew stays withdrawn; what they entered instead counts.
        if d["state"] != "withdrawn" or cell not in known:
            known[cell] = d
    catalogue = (await city.get("/registry/v1/catalogue", "operator"))["items"]
    filed = {(w["village"], w["item"], w["period"]): w async for w in city.items("/ingest/v1/waivers", "operator")}
    work = Work(city, plan, progress, catalogue, known, filed)
    by_village: dict[Village, list[Entry]] = {}
    for entry in (*plan.entries, *plan.aside):
        by_village.setdefault(entry.village, []).append(entry)
    await _in_parallel(_village(work, entries) for entries in by_village.values())
    await _in_parallel(
        _or_left_out(work, f"{w.village.code} {w.item} {w.period}", _waive(work, w)) for w in plan.waived
    )
    await _in_parallel(_or_left_out(work, f"{d.village.code} {d.quarter}", _declare(work, d)) for d in plan.declared)


async def _in_parallel(jobs: Iterable[Awaitable[None]]) -> None:
    turn = asyncio.Semaphore(CROWD)

    async def one(job: Awaitable[None]) -> None:
        async with turn:
            await job

    async with asyncio.TaskGroup() as tasks:
        for job in jobs:
            tasks.create_task(one(job))


async def _or_left_out(work: Work, what: str, job: Awaitable[None]) -> None:
    """Do a job, or note why the city or its people stand against it."""
    try:
        await job
    except (AbsentError, Refused) as error:
        work.progress.left_out.append(f"{what}: {error}")


async def _village(work: Work, entries: Iterable[Entry]) -> None:
    for entry in entries:
        await _or_left_out(work, f"{entry.village.code} {entry.item} {entry.period}", _bring_out(work, entry))
        work.progress.entered()


async def _bring_out(work: Work, entry: Entry) -> None:
    """One entry, from wherever it stands to the public page, and its correction."""
    known = work.known.get((entry.village.code, entry.item, entry.period)) or await _enter(work, entry)
    if known["state"] == "withdrawn":
        return
    if entry.stop is not None:
        await _leave_under_way(work, entry, known)
        return
    if known["version"] == 1:
        await _check(work, entry, known)
    if entry.correction is not None:
        if known["version"] == 1:
            known = await _correct(work, entry, known["id"])
        await _check(work, entry, known)
    if entry.withdrawn is not None:
        path = f"{DISCLOSURES}/{known['id']}/withdraw"
        told = {"version": known["version"], "reason": entry.withdrawn}
        await _step(work.city, path, f"reviewer-{entry.village.township}", told)


async def _leave_under_way(work: Work, entry: Entry, known: Any) -> None:
    """Take an entry as far as it is to come, and no further."""
    city, path, step = work.city, f"{DISCLOSURES}/{known['id']}", {"version": known["version"]}
    state = known["state"]
    if state == "draft" and entry.stop != "draft":
        state = await _step(city, f"{path}/submit", _author(entry), {**step, "accept": []})
    if state != "submitted":
        return
    if entry.stop == "confirmed":
        await _step(city, f"{path}/confirm", f"supervisor-{entry.village.code}", step)
    if entry.stop == "returned":
        await _step(city, f"{path}/return", f"supervisor-{entry.village.code}", {**step, "reason": _RETURN_REASON})


async def _enter(work: Work, entry: Entry) -> Any:
    author, cell = _author(entry), {"village": entry.village.code, "item": entry.item, "period": entry.period}
    key = f"sample-{entry.village.code}-{entry.item}-{entry.period}"
    if entry.way == "nil":
        return await work.city.post(f"{DISCLOSURES}/nil", author, cell, key=key)
    body = content_of(work.plan, entry)
    if entry.pictures is not None:
        await _add_pictures(work, entry, body)
    return await work.city.post(DISCLOSURES, author, {**cell, "body": body}, key=key)


async def _add_pictures(work: Work, entry: Entry, body: dict[str, Any]) -> None:
    """Drawn pictures that say what they stand for: beside the whole, or behind the first lines of a ledger."""

    async def digest_of(*words: str) -> str:
        picture = await asyncio.to_thread(drawn, words)
        made = await work.city.upload("/ingest/v1/attachments", _author(entry), entry.village.code, picture)
        return str(made["digest"])

    if entry.pictures == "whole":
        title = f"{body['title']} 完工照片"
        body["attachments"] = [{"digest": await digest_of(title, entry.period), "title": title}]
        return
    for line in body["lines"][1:4]:
        words = (f"凭证 {line['voucher']['word']}-{line['voucher']['no']}", line["summary"], line["date"])
        line["attachments"] = [await digest_of(*words)]


def _author(entry: Entry) -> str:
    return f"reviewer-{entry.village.township}" if entry.way == "self" else f"clerk-{entry.village.code}"


async def _check(work: Work, entry: Entry, known: Any) -> None:
    """Submit, confirm, approve a version, as far as that is still to be done, and wait for its page."""
    city, path, state = work.city, f"{DISCLOSURES}/{known['id']}", known["state"]
    step = {"version": known["version"]}
    page = f"/d/{known['id']}" + ("" if known["version"] == 1 else f"/{known['version']}")
    if state in {"approved", "published"}:
        await _await_page(city, page)
        return
    author = _author(entry)
    if state in {"draft", "returned"}:
        found = known["findings"] if "findings" in known else (await city.get(path, author))["findings"]
        accept = [{"finding": f, "reason": _REASON} for f in found]
        state = await _step(city, f"{path}/submit", author, {**step, "accept": accept})
    if state == "submitted":
        if entry.dissent is not None and known["version"] == 1:
            told = {**step, "opinion": "dissent", "reason": entry.dissent}
            await _step(city, f"{path}/confirm", f"supervisor-{entry.village.code}-2", told)
        await _step(city, f"{path}/confirm", f"supervisor-{entry.village.code}", step)
    secrecy = {"secrecy_checked_by": _SECRECY} if entry.item in work.secret else {}
    await _step(city, f"{path}/approve", f"reviewer-{entry.village.township}", {**step, **secrecy})
    work.progress.visible_s.append(await _await_page(city, page))


async def _correct(work: Work, entry: Entry, disclosure_id: str) -> Any:
    """Begin the correction once the city itself has heard that the first version is public."""
    body = {"version": 1, "body": corrected(content_of(work.plan, entry))}
    if entry.correction == "noted":
        body["note"] = _NOTE
    give_up = time.monotonic() + _VISIBLE_LIMIT_S
    while True:
        try:
            return await work.city.post(f"{DISCLOSURES}/{disclosure_id}/correct", _author(entry), body)
        except Refused as refused:
            if refused.problem.get("code") != "wrong_state" or time.monotonic() > give_up:
                raise
        await asyncio.sleep(_POLL_S)


async def _step(city: CityClient, path: str, user: str, body: dict[str, Any]) -> str:
    """Take a step; one that was taken already, by a try whose answer was lost, is taken. Returns the state."""
    try:
        state: str = (await city.post(path, user, body))["state"]
    except Refused as refused:
        if refused.problem.get("code") != "wrong_state":
            raise
        state = refused.problem["state"]
    return state


async def _await_page(city: CityClient, path: str) -> float:
    """Poll the public page until it is there; returns the seconds it took."""
    started = time.monotonic()
    while await city.page(path) != HTTPStatus.OK:
        if time.monotonic() - started > _VISIBLE_LIMIT_S:
            message = f"{path} was approved and is not public after {_VISIBLE_LIMIT_S:.0f} s"
            raise TimeoutError(message)
        await asyncio.sleep(_POLL_S)
    return time.monotonic() - started


async def _waive(work: Work, waived: Waived) -> None:
    """Ask not to open a cell, unless somebody did, and grant it."""
    city, cell = work.city, {"village": waived.village.code, "item": waived.item, "period": waived.period}
    made = work.waivers.get((waived.village.code, waived.item, waived.period))
    if made is None:
        key = f"sample-waiver-{waived.village.code}-{waived.item}-{waived.period}"
        told = {**cell, "reason": waived.reason}
        made = await city.post("/ingest/v1/waivers", f"clerk-{waived.village.code}", told, key=key)
    if made["state"] == "filed":
        await _step(city, f"/ingest/v1/waivers/{made['id']}/grant", f"reviewer-{waived.village.township}", {})


async def _declare(work: Work, declared: Declared) -> None:
    """Answer for a quarter, item by item as the city asks, and have it confirmed."""
    city, clerk = work.city, f"clerk-{declared.village.code}"
    path = f"/ingest/v1/declarations/{declared.village.code}/{declared.quarter}"
    try:
        made = await city.get(path, "operator")
    except Refused as refused:
        if refused.problem.get("code") != "unknown_declaration":
            raise
        made = await city.put(path, clerk, {"answers": await _answers(work, declared)})
    if made["state"] == "submitted":
        await _step(city, f"{path}/confirm", f"supervisor-{declared.village.code}", {"edition": made["edition"]})


async def _answers(work: Work, declared: Declared) -> list[dict[str, Any]]:
    """One answer for each on-event item that this kind of village has."""
    village = await work.city.get(f"/api/v1/villages/{declared.village.code}")
    asked = [
        i["code"] for i in work.catalogue if i["frequency"] == "on_event" and i["applies"] in {"both", village["kind"]}
    ]
    return [{"item": code, "days": [day for item, day in declared.days if item == code]} for code in asked]
