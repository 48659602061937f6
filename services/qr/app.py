"""The application of qr: mounts, nothing else."""

import asyncio
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from services.kit.pages import mount_pages
from services.kit.runtime import Runtime
from services.kit.trail import trail_router
from services.kit.trail_page import trail_page
from services.kit.web import create_web
from services.qr import api, pages
from services.qr.store import CODES, CodesInMemory

_HERE = Path(__file__).parent


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application of one process."""
    runtime.own[CODES] = CodesInMemory(runtime.database)
    runtime.own[api.PRINTER] = asyncio.Lock()
    app = create_web(runtime, "阳光三务 qr")
    app.mount(pages.OWN_STATIC, StaticFiles(directory=_HERE / "static"), name="own")
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(trail_router("qr"))
    app.include_router(trail_page("/posters/actions", pages.STATIC))
    mount_pages(app, runtime, _HERE / "templates", static=pages.STATIC)
    return app
