"""Audit's application: mounts, nothing else."""

from pathlib import Path

from fastapi import FastAPI

from services import audit
from services.audit import api, errors, pages
from services.audit.visit import AuditRuntime
from services.kit.pages import mount_pages
from services.kit.trail import trail_router
from services.kit.trail_page import trail_page
from services.kit.web import create_web


def create_app(runtime: AuditRuntime) -> FastAPI:
    """Build the application of one process."""
    app = create_web(runtime, audit.__doc__ or "", errors=errors)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(trail_router("audit"))
    app.include_router(trail_page("/inspect/actions", pages.STATIC))
    mount_pages(app, runtime, Path(__file__).parent / "templates", static=pages.STATIC)
    return app
