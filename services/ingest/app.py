"""Ingest's application: mounts, nothing else."""

from pathlib import Path

from fastapi import FastAPI

from services import ingest
from services.ingest import api, errors, pages
from services.ingest.visit import IngestRuntime
from services.kit.pages import mount_pages
from services.kit.trail import trail_router
from services.kit.trail_page import trail_page
from services.kit.web import create_web


def create_app(runtime: IngestRuntime) -> FastAPI:
    """Build the application of one process."""
    app = create_web(runtime, ingest.__doc__ or "", errors=errors, uploads={**api.UPLOADS, **pages.UPLOADS})
    for router in (*api.routers, pages.router, trail_router("ingest"), trail_page("/desk/actions", pages.STATIC)):
        app.include_router(router)
    mount_pages(app, runtime, Path(__file__).parent / "templates", static=pages.STATIC)
    return app
