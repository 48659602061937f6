"""`python -m services.qr serve`, and `posters`, which draws a large print run into a file."""

import sys
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from services.kit.cli import Refusal, Told, new_app, on_runtime
from services.kit.process import main
from services.kit.service import Service
from services.qr.api import draw_posters
from services.qr.app import create_app
from services.qr.handlers import PROJECT, REACT
from services.qr.jobs import make_jobs
from services.qr.settings import QrSettings
from services.qr.visit import QrRuntime, make_own

COMMANDS = new_app()


@COMMANDS.command("posters")
@on_runtime
async def posters(
    runtime: QrRuntime,
    *,
    division: Annotated[str, Option(metavar="CODE", help="A village, a township or the city.")],
    out: Annotated[Path, Option(metavar="FILE", help="The PDF to write.")],
) -> Told:
    """Draw a division's posters into a PDF."""
    if division not in runtime.reference.divisions:
        message = f"没有代码为 {division} 的区划。"
        raise Refusal(message)
    pdf = await draw_posters(runtime, division)
    try:
        size = out.write_bytes(pdf)
    except OSError as error:
        message = f"{out}: {error.strerror}"
        raise Refusal(message) from None
    return Told({"file": str(out), "bytes": size}, ())


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
