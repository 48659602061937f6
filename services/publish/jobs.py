"""What the clock makes happen: rendering what changed, and marking pages on which a deadline passed at midnight."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from services.contracts.topics import QUESTION_KEYS
from services.kit.clock import local_day
from services.kit.consumer.heard import has_heard_all
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.heartbeats import beat_keys
from services.kit.log import get_logger
from services.kit.pulse import beating
from services.kit.runtime import AnyRuntime
from services.kit.service import Job
from services.publish import metrics
from services.publish.bodies.loading import Loaded
from services.publish.bodies.renderer import Bodies
from services.publish.commands import asking, joining
from services.publish.commands.searching import make_searchable
from services.publish.hot.answers import pack
from services.publish.hot.files import (
    Subject,
    file_of,
    keep_same,
    open_release,
    remove_disclosures,
    remove_items,
    remove_rendered,
    tell_heard,
    write_all,
)
from services.publish.render.disclosure import fades_on
from services.publish.render.places import item_at
from services.publish.settings import PublishSettings
from services.publish.store import allowances, marks, publications, searchable, standings
from services.publish.store.marks import Kinds, Mark
from services.publish.store.sealing import count_clear, seal_some
from services.publish.visit import Own, PublishRuntime

log = get_logger(__name__)

_subject = attrgetter("subject")

_AWAITED: Final = ("disclosure",)
#: What comes within so long is rendered together.
_TOGETHER_S: Final = 0.08
#: Lists over many villages change with every approval: at most once a second. What was withdrawn goes from them so.
_NOW_AND_THEN: Final = ("township", "city", "all")
_LISTS_S: Final = 1.0
#: Pages that few read, when nothing was let out for a while: those of single items, then all 36 of one village at a time.
_AT_LEISURE: Final = (("item", 20), ("items", 1))
_QUIET_S: Final = 3.0
#: A village where something was let out after a while without is rendered at once; while more comes, all such villages
#: together every so often, and of the time at most a third.
_VILLAGE: Final = "village"
_VILLAGES_S: Final = 2.0
_VILLAGES_REST: Final = 2.0
#: So many at a time, so that whatever is awaited meanwhile goes first.
_FEW: Final = 10
#: So long a page that could not be made is not tried again.
_ASIDE_S: Final = 60.0
#: Nobody waits for the page of a village where something was handed in or confirmed: one rendering for many steps.
_STEPS_S: Final = 2.0
#: At midnight these are villages, each with the outline of all its years.
_BATCH: Final = 50
#: Told by a trigger of the table of marks, whoever marks: the process that renders need not be the one that hears.
MARKED: Final = "publish marked"
_LEISURE_TURNS: Final = 4
_SEALED_AT_ONCE: Final = 50
#: A role that waits longer without a beat is taken for one that hangs.
_HEAR_S: Final = 20.0
#: A service that stood still over some midnights still finds the rosters whose time ran out.
_FADE_SLACK: Final = timedelta(days=31)


class Renderer:
    """Renders what is marked: what was let out at once, the rest at most every so often.

    Pages of villages that keep changing every two seconds or less often, lists every second, pages of items in a run that found
    nothing else to do, some seconds after the last approval.
    """

    def __init__(self) -> None:
        self._awaited_not_before = 0.0
        self._villages_not_before = 0.0
        self._steps_not_before = 0.0
        self._lists_not_before = 0.0
        self._quiet_from = 0.0
        #: What could not be rendered, until when all else goes first.
        self._aside: dict[Subject, float] = {}

    async def run(self, runtime: PublishRuntime) -> None:
        """Serve the marks there are, and mark everything when the release is new."""
        await _begin_release(runtime)
        await asyncio.sleep(self._awaited_not_before - time.monotonic())
        async with runtime.database.connection() as conn:
            kinds = await marks.select_kinds(conn)
        busy = any([await self._serve_awaited(runtime), await self._serve_villages(runtime, kinds)])
        if not kinds.known.isdisjoint(_NOW_AND_THEN) and time.monotonic() >= self._lists_not_before:
            self._lists_not_before = time.monotonic() + _LISTS_S
            await self._render_some(runtime, _NOW_AND_THEN)
        if busy or time.monotonic() < self._quiet_from:
            return
        # A few a run, so that whatever changes meanwhile goes first; until then these pages are answered live.
        for _ in range(_LEISURE_TURNS):
            turns = [
                await self._render_some(runtime, [kind], most) for kind, most in _AT_LEISURE if kind in kinds.known
            ]
            if not any(turns) or await self._serve_awaited(runtime):
                return

    async def _serve_awaited(self, runtime: PublishRuntime) -> bool:
        """Render what somebody waits for; True when there was anything."""
        served = False
        while time.monotonic() >= self._awaited_not_before and await self._render_some(runtime, _AWAITED):
            served = True
            self._quiet_from = time.monotonic() + _QUIET_S
            self._awaited_not_before = time.monotonic() + _TOGETHER_S
            runtime.beat()
        return served

    async def _serve_villages(self, runtime: PublishRuntime, kinds: Kinds) -> bool:
        """Render villages where something was let out, and where only steps were taken, each when its time has come."""
        busy, started = False, time.monotonic()
        if _VILLAGE in kinds.awaited and started >= self._villages_not_before:
            while await self._render_some(runtime, [_VILLAGE], _FEW, awaited_until=kinds.awaited[_VILLAGE]):
                busy = True
                self._quiet_from = time.monotonic() + _QUIET_S
                await self._serve_awaited(runtime)
                runtime.beat()
            took = time.monotonic() - started
            self._villages_not_before = time.monotonic() + max(_VILLAGES_S, _VILLAGES_REST * took)
        if time.monotonic() >= max(self._steps_not_before, self._villages_not_before):
            self._steps_not_before = time.monotonic() + _STEPS_S
            while _VILLAGE in kinds.known and await self._render_some(runtime, [_VILLAGE]):
                busy = True
                runtime.beat()
        return busy

    async def _render_some(
        self, runtime: PublishRuntime, kinds: Sequence[str], most: int = _BATCH, *, awaited_until: int | None = None
    ) -> bool:
        """Serve the subjects of some kinds that wait longest, or those of which an approval was marked until then; False when there were none.

        A subject that cannot be rendered is set aside with its marks, and holds nothing else up.
        """
        now = time.monotonic()
        self._aside = {subject: until for subject, until in self._aside.items() if until > now}
        async with runtime.database.connection() as conn:
            marked = await marks.select_marks(conn, kinds, most, awaited_until, sorted(self._aside))
        if kinds == _AWAITED:
            metrics.DIRTY.set(len(marked))
        if not marked:
            return False
        try:
            await _serve(runtime, marked)
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception:
            log.exception("pages not rendered: each is tried alone", marks=len(marked))
            for subject, own in groupby(sorted(marked, key=_subject), _subject):
                await self._serve_alone(runtime, subject, list(own))
        return True

    async def _serve_alone(self, runtime: PublishRuntime, subject: Subject, marked: Sequence[Mark]) -> None:
        try:
            await _serve(runtime, marked)
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception:
            metrics.RENDER_FAILURES.labels(kind=subject[0]).inc()
            log.exception("page not rendered", kind=subject[0], key=subject[1])
            self._aside[subject] = time.monotonic() + _ASIDE_S
            # It must not go on telling what holds no more.
            await asyncio.to_thread(remove_rendered, runtime.own.bodies.release.parent, [subject])
        runtime.beat()


async def _begin_release(runtime: PublishRuntime) -> None:
    """Mark everything when the release is new."""
    bodies = runtime.own.bodies
    if not bodies.release.is_dir() and await beating(asyncio.to_thread(_open_release, bodies), runtime.beat):
        async with runtime.database.transaction() as conn:
            await marks.insert_marks(conn, _lists_and_villages(bodies))
            await marks.insert_marks(conn, _fading(runtime, await publications.select_rosters(conn)))


def _open_release(bodies: Bodies) -> bool:
    """Make the release's folder with the stylesheet, which whoever serves its files needs beside them."""
    if not open_release(bodies.release.parent, bodies.release):
        return False
    target = file_of(bodies.release, bodies.style_path)
    assert target is not None  # noqa: S101 - its form is made here
    write_all(bodies.release.parent, [(target, bodies.style)])
    return True


async def _serve(runtime: PublishRuntime, marked: Sequence[Mark]) -> None:
    """Render what is marked, and drop the marks."""
    bodies = runtime.own.bodies
    async with runtime.database.connection() as conn:
        if any(m.since is None for m in marked):
            # A mark without an approval may come from reference data, which must be as new as the mark.
            await runtime.reference.refresh()
        subjects = sorted({m.subject for m in marked if m.subject[0] != "all"})
        loaded = await bodies.load(conn, subjects)
        # Marked with what was loaded, or after it: what shows the same cells must not stand beside a new page.
        villages = [key for kind, key in subjects if kind == "village"]
        old_items = await marks.select_old_items(conn, villages) if villages else []
    started = time.perf_counter()
    await asyncio.to_thread(_write, bodies, loaded, subjects, old_items)
    metrics.RENDER_BATCH.observe(time.perf_counter() - started)
    await _drop_marks(runtime, marked, loaded)


def _write(bodies: Bodies, loaded: Loaded, subjects: Sequence[Subject], old_items: Sequence[Subject]) -> None:
    """Render and write; a subject that no longer has anything to read loses its bodies, and so do items that are `old_items`."""
    for subject in old_items:
        remove_items(bodies.release, subject)
    files: list[tuple[Path, bytes]] = []
    for subject in subjects:
        rendered = bodies.render(loaded, subject)
        if not rendered:
            remove_rendered(bodies.release.parent, [subject])
        for path, body in rendered.items():
            target = file_of(bodies.release, path)
            # To pack a page takes as long as half of making it, and few changes are seen on all pages that are made for them.
            if target is not None and not keep_same(target, body):
                files.append((target, pack(body)))
        metrics.RENDERED.labels(kind=subject[0]).inc(len(rendered))
    write_all(bodies.release.parent, files)


async def _drop_marks(runtime: PublishRuntime, marked: Sequence[Mark], loaded: Loaded) -> None:
    """Drop the marks that were served; if somebody else did meanwhile, what was written here may be old: mark it again."""
    bodies = runtime.own.bodies
    everything = any(m.subject[0] == "all" for m in marked)
    if everything:
        await beating(asyncio.to_thread(remove_disclosures, bodies.release), runtime.beat)
    async with runtime.database.transaction() as conn:
        if await marks.delete_marks(conn, [m.id for m in marked]) < len(marked):
            await marks.insert_marks(conn, sorted({m.subject for m in marked}))
        if everything:
            await marks.insert_marks(conn, _lists_and_villages(bodies))
        if loaded.standing_now and (changed := await standings.upsert_standings(conn, loaded.standing_now)):
            await marks.insert_marks(conn, _lists_above(bodies, changed))
    now = runtime.clock.now()
    for mark in marked:
        if mark.subject[0] == "disclosure" and mark.since is not None:
            metrics.SUBMIT_TO_VISIBLE.observe((now - mark.since).total_seconds())


def _lists_and_villages(bodies: Bodies) -> list[Subject]:
    pages = [(kind, v.code) for kind in ("village", "items") for v in bodies.villages()]
    return [*pages, *(("township", t.code) for t in bodies.townships()), ("city", "")]


def _lists_above(bodies: Bodies, villages: Sequence[str]) -> list[Subject]:
    """The lists that tell what some villages lack."""
    townships = {v.township.code for code in villages if (v := bodies.village(code)) is not None}
    return [*(("township", t) for t in sorted(townships)), ("city", "")]


def _fading(runtime: AnyRuntime, rosters: Sequence[tuple[str, str, str]]) -> list[Subject]:
    """Rosters whose names leave the web about now; a day that was missed is made up for."""
    today = local_day(runtime.clock.now())
    items = runtime.reference.items
    return [
        ("disclosure", disclosure_id)
        for disclosure_id, item, period in rosters
        if (day := fades_on(item_at(items, item, period), period)) is not None
        and timedelta() <= today - day <= _FADE_SLACK
    ]


async def mark_everything_daily(runtime: PublishRuntime) -> None:
    """Every due date ends at local midnight, and "late by n days" counts on: so once a day, every village anew.

    On the same day the names of a roster whose time is over leave the web.
    """
    async with runtime.database.transaction() as conn:
        if not await marks.insert_marked_day(conn, local_day(runtime.clock.now())):
            return
        await marks.insert_marks(conn, _lists_and_villages(runtime.own.bodies))
        await marks.insert_marks(conn, _fading(runtime, await publications.select_rosters(conn)))
    # Of its own: it looks through everything that is open, and pages do not wait for it.
    async with runtime.database.transaction() as conn:
        await searchable.reconcile(conn)


async def seal_contents(runtime: PublishRuntime) -> None:
    """Seal what was opened before contents were sealed, a few rows at a time; then there is nothing left to do."""
    left: set[str] = set()
    taken = 1
    while taken:
        async with runtime.database.transaction() as conn:
            taken = await seal_some(conn, _SEALED_AT_ONCE, left)
        runtime.beat()
    if left:
        log.warning("rows stay in clear that cannot be sealed", rows=len(left), first=min(left).partition("/")[0])
    async with runtime.database.connection() as conn:
        metrics.CLEAR.set(await count_clear(conn))


async def tell_how_far_heard(runtime: PublishRuntime) -> None:
    """Write down when everything that was said was heard; while Kafka is away, pages that are a day old tell so."""
    now = runtime.clock.now()
    if await has_heard_all(runtime, _HEAR_S):
        await asyncio.to_thread(tell_heard, runtime.settings.rendered, int(now.timestamp()))


async def destroy_of_questions(runtime: PublishRuntime) -> None:
    """Destroy how askers could be reached once their questions are over, and the words of hidden ones after a month."""
    taken = _SEALED_AT_ONCE
    while taken == _SEALED_AT_ONCE:
        async with runtime.database.transaction() as conn:
            taken = await asking.destroy_due(conn, runtime.clock.now(), _SEALED_AT_ONCE)
        runtime.beat()
    await _forget_callers(runtime)


async def _forget_callers(runtime: PublishRuntime) -> None:
    """Forget who joined a question a month ago, and whose turn is over."""
    for forget in (joining.fade_due, allowances.forget):
        taken = _SEALED_AT_ONCE
        while taken == _SEALED_AT_ONCE:
            async with runtime.database.transaction() as conn:
                taken = await forget(conn, runtime.clock.now(), _SEALED_AT_ONCE)
            runtime.beat()


async def roll_keys(runtime: PublishRuntime) -> None:
    """Keep the log of questions' keys moving, so that the broker forgets within the hour what was destroyed."""
    async with runtime.database.transaction() as conn:
        await beat_keys(conn, runtime.clock.now(), QUESTION_KEYS)


def make_jobs() -> Sequence[Job[PublishSettings, Own]]:
    """The jobs of a process."""
    return (
        Job("render", 0.25, Renderer().run, woken_by=MARKED),
        Job("deadlines", 20.0, mark_everything_daily),
        Job("searchable", 2.0, make_searchable),
        Job("publish contents sealed", 600.0, seal_contents),
        Job("how far heard", 300.0, tell_how_far_heard),
        Job("publish questions", 60.0, destroy_of_questions),
        Job("publish keys rolled", 300.0, roll_keys),
    )
