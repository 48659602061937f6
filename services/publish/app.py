"""The application of publish: mounts, nothing else."""

from fastapi import FastAPI

from services.kit.objects import Objects
from services.kit.runtime import Runtime
from services.kit.web import create_web
from services.publish import api, pages
from services.publish.bodies.renderer import Bodies
from services.publish.hot.answers import Answer
from services.publish.hot.front import Front, Store


def create_app(runtime: Runtime) -> Front:
    """Build the application of one process: rendered bodies first, everything else behind them."""
    bodies = runtime.own["bodies"] = Bodies(runtime)
    runtime.own["objects"] = Objects(runtime.settings.home, runtime.settings.objects_url)
    hot = Store(bodies.release, runtime.settings.hot_cache_bytes)
    return Front(create_behind(runtime), hot, {bodies.style_path: Answer(bodies.style)})


def create_behind(runtime: Runtime) -> FastAPI:
    """What answers when no rendered body does."""
    app = create_web(runtime, "阳光三务 publish")
    pages.mount_errors(app)
    app.include_router(api.router)
    app.include_router(pages.router)
    return app
