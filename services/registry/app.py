"""The registry's application: mounts, nothing else."""

from pathlib import Path

from fastapi import FastAPI

from services import registry
from services.kit.pages import mount_pages
from services.kit.trail import trail_router
from services.kit.web import create_web
from services.registry import api, errors, pages
from services.registry.visit import RegistryRuntime


def create_app(runtime: RegistryRuntime) -> FastAPI:
    """Build the application of one process."""
    app = create_web(runtime, registry.__doc__ or "", errors=errors)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(trail_router("registry"))
    mount_pages(app, runtime, Path(__file__).parent / "templates", static=pages.STATIC)
    return app
