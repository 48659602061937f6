"""Print what carries codes: a PDF of one, a township or the city; a package a township with its packing list."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.contracts.code import CodeKind
from services.contracts.division import DivisionKind
from services.contracts.words import CODE_KINDS
from services.kit.reference import Reference
from services.qr import metrics
from services.qr.errors import NothingToPrintError, TooManyPostersError, ZoneHasNoCodeError
from services.qr.render.code import address
from services.qr.render.poster import FORMS, Form, Poster, posters, preview
from services.qr.store import codes as store
from services.qr.store.codes import CodeRow
from services.qr.visit import QrRuntime

#: A page takes some 130 KB of memory while it is drawn; larger runs are for the operators' command.
MAX_POSTERS: Final = 3000
#: So many pages are drawn at once, so that a province takes no more memory than a township.
AT_ONCE: Final = 60
PACKING_LIST: Final = "装箱单.csv"
_HEAD: Final = ("页", "镇街", "村", "第几号", "码号", "用途", "位置", "名称", "网址")
#: ZIP (APPNOTE 4.4.6) knows no time before.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """What is printed: the codes, on which form, how many sheets of each that is for many to take home."""

    rows: Sequence[CodeRow]
    pages: Sequence[Poster]
    form: Form
    copies: int = 1


def _township(ref: Reference, village: str) -> str:
    parent = ref.divisions[village].now.parent
    return ref.divisions[parent].now.name if parent else ""


def pages_of(ref: Reference, rows: Sequence[CodeRow]) -> list[Poster]:
    """What the prints of some codes say."""
    sample = ref.is_sample()
    pages = []
    for row in rows:
        village, *above = ref.ancestors(row.village)
        pages.append(
            Poster(
                above=" ".join(d.now.name for d in reversed(above)),
                village=village.now.name,
                community=village.now.kind is DivisionKind.COMMUNITY,
                serial=row.serial,
                code=row.code,
                sample=sample,
                kind=row.target.kind,
                place=row.target.place,
                subject=row.target.subject,
                period=row.target.period,
            ),
        )
    return pages


async def _rows(runtime: QrRuntime, division: str, form: Form, code: str | None) -> list[CodeRow]:
    villages = [v.code for v in runtime.reference.villages(division)]
    kinds = list(CodeKind) if code else FORMS[form].kinds
    # Drawing takes seconds; no connection waits for it.
    async with runtime.database.connection() as conn:
        rows = await store.select_valid_codes(conn, villages, kinds)
    return [row for row in rows if code is None or row.code == code]


async def load_run(
    runtime: QrRuntime,
    division: str,
    form: Form,
    *,
    code: str | None = None,
    copies: int = 1,
    at_most: int | None = None,
) -> Run:
    """What a division has of a form, or one `code` of it.

    Raises ZoneHasNoCodeError, NothingToPrintError, and TooManyPostersError beyond the limit.
    """
    ref = runtime.reference
    if ref.divisions[division].now.kind is DivisionKind.ZONE:
        raise ZoneHasNoCodeError
    rows = await _rows(runtime, division, form, code)
    if not rows:
        message = f"这里还没有可以印成“{FORMS[form].word}”的码，请先发码。"
        raise NothingToPrintError(message)
    asked = len(rows) * (copies if FORMS[form].repeats else 1)
    if at_most is not None and asked > at_most:
        raise TooManyPostersError(at_most=at_most, asked=asked)
    return Run(rows, pages_of(ref, rows), form, copies)


async def draw(runtime: QrRuntime, run: Run) -> bytes:
    """The PDF of a run."""
    with metrics.POSTERS_DURATION.time():
        at, url = runtime.clock.now(), runtime.settings.public_url
        pdf = await asyncio.to_thread(posters, run.pages, url, at, run.form, copies=run.copies)
    metrics.POSTERS.inc(len(run.pages))
    return pdf


async def draw_preview(runtime: QrRuntime, run: Run) -> bytes:
    """A picture of a run's first print."""
    return await asyncio.to_thread(preview, run.pages[0], runtime.settings.public_url, runtime.clock.now(), run.form)


def packing_list(ref: Reference, run: Run, public_url: str) -> bytes:
    """What is in a package, code by code, as a spreadsheet program opens it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    a_sheet = FORMS[run.form].a_sheet
    for n, (row, page) in enumerate(zip(run.rows, run.pages, strict=True)):
        sheet = n * run.copies + 1 if FORMS[run.form].repeats else n // a_sheet + 1
        what = (CODE_KINDS[row.target.kind], row.target.place or "", row.target.subject or "")
        of = (sheet, _township(ref, row.village), page.village, row.serial, row.code, *what)
        writer.writerow([*map(_plain, of), address(public_url, row.code)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _plain(cell: object) -> object:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of files that are packed already; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for name, content in files.items():
            package.writestr(zipfile.ZipInfo(name, _NO_TIME), content)
    return out.getvalue()


def draw_package(pages: Sequence[Poster], public_url: str, at: datetime, form: Form, copies: int) -> dict[str, bytes]:
    """The PDFs of a package, of so many prints each that memory stays small; takes seconds."""
    parts = [pages[n : n + AT_ONCE] for n in range(0, len(pages), AT_ONCE)]
    names = [f"{form.value}-{n + 1:02}.pdf" for n in range(len(parts))] if len(parts) > 1 else [f"{form.value}.pdf"]
    return {n: posters(part, public_url, at, form, copies=copies) for n, part in zip(names, parts, strict=True)}


async def draw_township(runtime: QrRuntime, run: Run) -> bytes:
    """A township's package: its PDFs and what is in them."""
    url, at = runtime.settings.public_url, runtime.clock.now()
    listed = packing_list(runtime.reference, run, url)
    with metrics.POSTERS_DURATION.time():
        drawn = await asyncio.to_thread(draw_package, run.pages, url, at, run.form, run.copies)
    metrics.POSTERS.inc(len(run.pages))
    return zipped({PACKING_LIST: listed, **drawn})
