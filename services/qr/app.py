"""The application of qr: mounts, nothing else."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from services import qr
from services.kit.pages import mount_pages
from services.kit.trail import trail_router
from services.kit.trail_page import trail_page
from services.kit.web import create_web
from services.qr import api, errors, pages
from services.qr.pages.landing import Landing
from services.qr.visit import QrRuntime

_HERE = Path(__file__).parent


def create_app(runtime: QrRuntime) -> FastAPI:
    """Build the application of one process."""
    app = create_web(runtime, qr.__doc__ or "", errors=errors, uploads=api.UPLOADS)
    app.mount(pages.OWN_STATIC, StaticFiles(directory=_HERE / "static"), name="own")
    for router in (*api.routers, *pages.routers):
        app.include_router(router)
    app.include_router(trail_router("qr"))
    app.include_router(trail_page("/posters/actions", pages.STATIC))
    app.add_middleware(Landing, runtime=runtime)
    mount_pages(app, runtime, _HERE / "templates", static=pages.STATIC)
    return app
