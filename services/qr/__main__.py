"""`python -m services.qr serve`, and `posters`, which draws a large print run into a file."""

import argparse
import sys
from pathlib import Path

from services.kit.errors import SanwuError
from services.kit.process import Command, Service, main
from services.kit.runtime import Runtime
from services.qr.api import draw_posters
from services.qr.app import create_app
from services.qr.handlers import PROJECT, REACT
from services.qr.jobs import JOBS
from services.qr.settings import QrSettings


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--division", required=True, metavar="CODE", help="a village, a township or the city")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the PDF to write")


async def _posters(runtime: Runtime, arguments: argparse.Namespace) -> int:
    if arguments.division not in runtime.reference.divisions:
        sys.stderr.write(f"没有代码为 {arguments.division} 的区划。\n")
        return 1
    try:
        pdf = await draw_posters(runtime, arguments.division)
        arguments.out.write_bytes(pdf)
    except SanwuError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    return 0


POSTERS = Command("posters", "draw a division's posters into a PDF", _add_arguments, _posters)
SERVICE = Service("qr", QrSettings, create_app, project=PROJECT, react=REACT, jobs=JOBS, commands=(POSTERS,))

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
