"""`python -m services.publish snapshot FOLDER`: the public site of a day as files, for whoever keeps it for thirty years.

Nothing is locked and no transaction stays open: what changes while it is made is made again at the end, so what was withdrawn
meanwhile is not in it. Names that leave the web some day (`keep_months` of the catalogue) are not in it at all: an archive
forgets nothing.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from typer import Argument

from services.kit import trail
from services.kit.cli import By, Refusal, Told, on_runtime
from services.publish.bodies.asked_pages import question_body, questions_body
from services.publish.bodies.loading import Loaded
from services.publish.bodies.renderer import Bodies
from services.publish.bodies.variants import elder, english
from services.publish.hot.answers import HTML, Body, plain
from services.publish.hot.files import Subject
from services.publish.render.disclosure import DisclosurePage, Opened
from services.publish.render.export import csv_of
from services.publish.render.item import years_of
from services.publish.render.places import Village
from services.publish.render.questions import Question, Word
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.tabular import content_sheets
from services.publish.snapshot.paid import write_firms, write_spending
from services.publish.snapshot.site import Index, archived, file_for
from services.publish.store import cells, marks, publications, questions
from services.publish.visit import PublishRuntime

_AT_ONCE: Final = 40
#: A partial archive that was broken off carries this name and is begun anew.
_PARTIAL: Final = ".partial"
_SUMS: Final = "SHA256SUMS"
_SEARCH: Final = Path(__file__).parents[1] / "static" / "archive_search.js"
#: So often what changed meanwhile is made again; a city where more changes than can be written has no quiet moment.
_ROUNDS: Final = 20
_ABOUT: Final = """{city}村务、党务、财务公开：{day}的存档

打开 index.html 就能看，不用联网。找村、找事项在 search.html。
有人名的名单到期要从网上撤下，所以这里只留合计。撤回的内容不在这里，只留撤回的时间和原因。
每个文件的 SHA-256 在 {sums}，核对：sha256sum -c {sums}
公开数据按知识共享署名 4.0 许可（CC BY 4.0）：可以免费查看、转载、计算和再利用，请注明来源和日期。
"""


@dataclass(slots=True)
class _Site:
    """An archive as it is being written."""

    folder: Path
    bodies: Bodies
    at: datetime
    objects: set[str] = field(default_factory=set)
    pages: int = 0

    def write(self, path: str, content: bytes) -> None:
        """Write the file of a path, a page with its links changed."""
        name = file_for(path)
        if name is not None:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def write_body(self, path: str, body: Body) -> None:
        """Write a body: a page as one of the archive, anything else as it is."""
        if body.media_type != HTML:
            self.write(path, body.content)
            return
        text, shown = archived(body.content.decode(), path, self.at)
        self.objects |= shown
        self.pages += 1
        self.write(path, text.encode())

    def remove(self, path: str) -> None:
        """Remove the file of a path, if there is one."""
        name = file_for(path)
        if name is not None:
            (self.folder / name).unlink(missing_ok=True)


@on_runtime
async def snapshot(
    runtime: PublishRuntime,
    folder: Annotated[Path, Argument(help="A new folder; its parent must be there.")],
    *,
    by: By = None,
) -> Told:
    """Write the public site as files that open from a folder without a server, with lists, search and sums of all files."""
    bodies = runtime.own.bodies
    villages = bodies.villages()
    partial = _begin(folder)
    site = _Site(partial, bodies, runtime.clock.now())
    async with runtime.database.connection() as conn:
        position = await marks.select_newest_change(conn)
    await _write_villages(runtime, site, villages)
    lists = [("city", ""), *(("township", t.code) for t in bodies.townships())]
    await _write_parts(runtime, site, lists)
    await write_firms(runtime, site.write_body, site.folder)
    again = await _write_again(runtime, site, lists, position)
    await _write_questions(runtime, site, villages)
    await _write_objects(runtime, site)
    files = await asyncio.to_thread(_finish, site, runtime, villages)
    partial.rename(folder)
    async with runtime.database.transaction() as conn:
        await trail.note_command(conn, runtime, by, "snapshot")
    values = {"folder": str(folder), "villages": len(villages), "pages": site.pages, "files": files}
    return Told({**values, "made_again": again})


def _begin(folder: Path) -> Path:
    """The folder to write in; what an earlier try left of it is removed. Refusal when there is no place for it."""
    if folder.exists():
        message = f"{folder} is there already; name a folder that is not."
        raise Refusal(message)
    partial = folder.with_name(folder.name + _PARTIAL)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        message = f"{partial} cannot be made: {error.strerror}."
        raise Refusal(message) from error
    return partial


async def _write_villages(runtime: PublishRuntime, site: _Site, villages: Sequence[Village]) -> None:
    """Write all pages of villages, with a bar."""
    with ExitStack() as stack:
        bar = stack.enter_context(_bar())
        task = bar.add_task("snapshot", total=len(villages))
        for village in villages:
            async with runtime.database.connection() as conn:
                ids = await cells.select_ids(conn, village.code)
            await _write_parts(runtime, site, [("village", village.code), *(("disclosure", i) for i in ids)])
            bar.advance(task)


async def _write_again(runtime: PublishRuntime, site: _Site, lists: Sequence[Subject], position: int) -> int:
    """Write what changed since a position once more, until nothing does; returns how much that was. Refusal when it goes on."""
    again = 0
    for _ in range(_ROUNDS):
        changed, position = await _changed_since(runtime, position)
        if not changed:
            return again
        again += len(changed)
        await _write_parts(runtime, site, [*lists, *changed])
        await write_firms(runtime, site.write_body, site.folder)
    message = "The city changes faster than it is written; try again at night."
    raise Refusal(message)


async def _write_parts(runtime: PublishRuntime, site: _Site, subjects: Sequence[Subject]) -> None:
    for start in range(0, len(subjects), _AT_ONCE):
        some = subjects[start : start + _AT_ONCE]
        loaded, items = await _load(runtime, site.bodies, some)
        await asyncio.to_thread(_write, site, loaded, [*some, *items])
        for _, code in items:
            await _write_earlier_years(runtime, site, loaded, code)


async def _load(runtime: PublishRuntime, bodies: Bodies, subjects: Sequence[Subject]) -> tuple[Loaded, list[Subject]]:
    """What pages are made of, names that leave the web some day left out, and the pages of villages' items."""
    items = [("items", key) for kind, key in subjects if kind == "village"]
    async with runtime.database.connection() as conn:
        loaded = replace(await bodies.load(conn, [*subjects, *items]), faded=True)
        # Every edition has its page, and tells what it changed.
        every = [(i, n) for i, times in loaded.times.items() for n, _ in times]
        loaded.editions.update(await publications.select_editions(conn, every))
    return loaded, items


def _write(site: _Site, loaded: Loaded, subjects: Sequence[Subject]) -> None:
    bodies = site.bodies
    for subject in subjects:
        for path, body in bodies.render(loaded, subject).items():
            site.write_body(path, body)
        kind, key = subject
        if kind == "village" and (village := bodies.village(key)) is not None:
            site.write_body(f"/v/{key}/big", elder(bodies, loaded, village))
            site.write_body(f"/v/{key}/en", english(bodies, loaded, village, below=""))
        if kind == "disclosure":
            _write_disclosure(site, loaded, key)


def _write_disclosure(site: _Site, loaded: Loaded, key: str) -> None:
    """The table and the earlier editions of a disclosure; nothing is left of one that was withdrawn."""
    p, times = loaded.publications.get(key), loaded.times.get(key, ())
    found: tuple[DisclosurePage, Opened] | None = site.bodies.opened(loaded, key)
    if p is None:
        return
    if found is None:
        for path in (f"/d/{key}.csv", *(f"/d/{key}/{n}" for n in range(1, len(times) + 2))):
            site.remove(path)
        shutil.rmtree(site.folder / "d" / key, ignore_errors=True)
        return
    site.write(f"/d/{key}.csv", csv_of(content_sheets(*found)))
    for number, (edition, _) in enumerate(times, 1):
        content = loaded.editions.get((key, edition))
        if content is not None:
            site.write_body(f"/d/{key}/{number}", site.bodies.edition_page(loaded, p, edition, content))


async def _write_earlier_years(runtime: PublishRuntime, site: _Site, loaded: Loaded, code: str) -> None:
    village, known = site.bodies.village(code), loaded.cells_of_items[code].known
    for item in sorted({p.item for p in known}):
        for year in years_of(known, item)[1:]:
            async with runtime.database.connection() as conn:
                body = await site.bodies.item_of_year(conn, village, item, year) if village is not None else None
            if body is not None:
                site.write_body(f"/v/{code}/{item}/{year}", body)
    if village is not None:
        await _write_spending(runtime, site, village, years_of(known, MONEY_ITEM))


async def _write_spending(runtime: PublishRuntime, site: _Site, village: Village, years: Sequence[str]) -> None:
    for year in await write_spending(runtime, site.write_body, village, years):
        for suffix in ("", ".csv"):
            site.remove(f"/v/{village.code}/{MONEY_ITEM}/{year}/spending{suffix}")


async def _write_questions(runtime: PublishRuntime, site: _Site, villages: Sequence[Village]) -> None:
    """All questions of villages with their answers, as they stand at the end; nobody's reference is in them."""
    for village in villages:
        found: list[Question] = []
        words: dict[UUID, list[Word]] = {}
        async with runtime.database.connection() as conn:
            while some := await questions.select_list(conn, village.code, found[-1].id if found else None, _AT_ONCE):
                found += some
                words |= await questions.select_words(conn, some)
        now = runtime.clock.now()
        for question in found:
            site.write_body(f"/q/{question.id}", question_body(site.bodies, village, question, words[question.id], now))
        site.write_body(f"/v/{village.code}/questions", questions_body(site.bodies, village, found, words, now))


async def _changed_since(runtime: PublishRuntime, position: int) -> tuple[list[Subject], int]:
    """What villagers see otherwise since a position of the changes, and the position up to which that is told."""
    found: set[Subject] = set()
    async with runtime.database.connection() as conn:
        while changes := await marks.select_changes(conn, position, _AT_ONCE):
            position = changes[-1].position
            for change in changes:
                found |= {("village", change.village_code), ("disclosure", change.disclosure_id)}
    return sorted(found), position


async def _write_objects(runtime: PublishRuntime, site: _Site) -> None:
    """The files that pages show; one that is gone is not in the archive."""
    for digest in sorted(site.objects):
        content = await runtime.own.objects.get(digest)
        if content is not None:
            await asyncio.to_thread(site.write, f"/objects/{digest}", content)


def _finish(site: _Site, runtime: PublishRuntime, villages: Sequence[Village]) -> int:
    """Stylesheet, search, what the archive is, and the sums of all files; returns how many there are."""
    bodies, folder = site.bodies, site.folder
    for path, packed in bodies.fixed.items():
        site.write(path, plain(packed).content)
    places = [(t, bodies.villages_of(t.code)) for t in bodies.townships()]
    site.write_body("/search", bodies.html("archive_search.html", places=places))
    (folder / "names.js").write_text(Index(villages, runtime.reference.items).as_script(), "utf-8")
    shutil.copyfile(_SEARCH, folder / "search.js")
    city = runtime.reference.city()
    about = _ABOUT.format(city=city.now.name if city is not None else "", day=f"{site.at:%Y-%m-%d}", sums=_SUMS)
    (folder / "README.txt").write_text(about, "utf-8")
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    lines = (f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder).as_posix()}\n" for p in files)
    (folder / _SUMS).write_text("".join(lines), "utf-8")
    return len(files) + 1


def _bar() -> Progress:
    """A progress bar on standard error, where somebody looks."""
    columns = ("snapshot", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)
