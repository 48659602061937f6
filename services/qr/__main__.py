"""`python -m services.qr serve`; `posters` draws a run into a file, `packages` one file a township, with progress."""

import hashlib
import multiprocessing
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from services.contracts.division import DivisionKind
from services.kit.cli import Refusal, Told, new_app, on_runtime
from services.kit.process import main
from services.kit.reference import Reference
from services.kit.service import Service
from services.qr.app import create_app
from services.qr.commands import printing
from services.qr.commands.printing import PACKING_LIST, Run, zipped
from services.qr.errors import NothingToPrintError
from services.qr.handlers import PROJECT, REACT
from services.qr.jobs import make_jobs
from services.qr.render.poster import Form
from services.qr.settings import QrSettings
from services.qr.visit import QrRuntime, make_own

COMMANDS = new_app()
#: Each draws a township at a time and holds some 150 MB while it does.
_DRAWING: Final = 2
_Division = Annotated[str, Option(metavar="CODE", help="A village, a township or the city.")]
_Size = Annotated[Form, Option(help="What is printed.")]


def _require_division(runtime: QrRuntime, division: str) -> None:
    if division not in runtime.reference.divisions:
        message = f"没有代码为 {division} 的区划。"
        raise Refusal(message)


def _write(file: Path, content: bytes) -> int:
    """Write a file whole or not at all; Refusal says why it cannot be."""
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    except OSError as error:
        message = f"{file}: {error.strerror}"
        raise Refusal(message) from None
    return len(content)


@COMMANDS.command("posters")
@on_runtime
async def posters(
    runtime: QrRuntime,
    *,
    division: _Division,
    out: Annotated[Path, Option(metavar="FILE", help="The PDF to write.")],
    size: _Size = Form.A4,
) -> Told:
    """Draw what a division has of a form into a PDF."""
    _require_division(runtime, division)
    pdf = await printing.draw(runtime, await printing.load_run(runtime, division, size))
    return Told({"file": str(out), "bytes": _write(out, pdf)}, ())


def _townships(ref: Reference, division: str) -> list[str]:
    """The townships of a division, or itself where it has none below."""
    below = [d.code for d in ref.children(division) if d.now.kind is DivisionKind.TOWNSHIP]
    return below or [division]


def _mark(run: Run, public_url: str, listed: bytes) -> str:
    """What a package's bytes follow from: a package of the same mark need not be drawn again."""
    told = (run.form.value, run.copies, public_url, [page.sample for page in run.pages[:1]])
    return hashlib.sha256(repr(told).encode() + listed).hexdigest()[:16]


async def _runs(runtime: QrRuntime, division: str, size: Form, copies: int) -> Mapping[str, Run]:
    found = {}
    for township in _townships(runtime.reference, division):
        try:
            found[township] = await printing.load_run(runtime, township, size, copies=copies)
        except NothingToPrintError:
            continue
    return found


@COMMANDS.command("packages")
@on_runtime
async def packages(
    runtime: QrRuntime,
    *,
    division: _Division,
    out: Annotated[Path, Option(metavar="FOLDER", help="Where the packages go; those that are there already stay.")],
    size: _Size = Form.A4,
    copies: Annotated[int, Option(min=1, max=100, help="Of cards: sheets of ten of each code.")] = 1,
) -> Told:
    """Draw a ZIP for each township of a division, with its packing list; goes on where it was stopped."""
    _require_division(runtime, division)
    ref, url = runtime.reference, runtime.settings.public_url
    waiting: dict[Path, tuple[Run, bytes]] = {}
    kept = 0
    out.mkdir(parents=True, exist_ok=True)
    runs = await _runs(runtime, division, size, copies)
    for township, run in runs.items():
        listed = printing.packing_list(ref, run, url)
        file = out / f"{township}-{ref.divisions[township].now.name}-{size.value}-{_mark(run, url, listed)}.zip"
        if file.exists():
            kept += 1
        else:
            waiting[file] = (run, listed)
    drawn = _draw_all(runtime, waiting)
    codes = sum(len(run.rows) for run in runs.values())
    return Told({"folder": str(out), "packages": len(runs), "kept": kept, "bytes": drawn, "codes": codes}, ())


def _draw_all(runtime: QrRuntime, waiting: Mapping[Path, tuple[Run, bytes]]) -> int:
    """Draw packages in processes of their own, told one by one as they are done; bytes written."""
    url, at, written = runtime.settings.public_url, runtime.clock.now(), 0
    at_once = min(_DRAWING, os.cpu_count() or 1, max(len(waiting), 1))
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn")) as pool:
        drawing = [
            (file, listed, pool.submit(printing.draw_package, run.pages, url, at, run.form, run.copies))
            for file, (run, listed) in waiting.items()
        ]
        for n, (file, listed, drawn) in enumerate(drawing, 1):
            written += _write(file, zipped({PACKING_LIST: listed, **drawn.result()}))
            sys.stderr.write(f"{n}/{len(drawing)} {file.name}\n")
    return written


SERVICE: Final = Service(
    "qr",
    QrSettings,
    make_own,
    create_app,
    project=PROJECT,
    react=REACT,
    make_jobs=make_jobs,
    commands=COMMANDS,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
