"""The application of publish: mounts, nothing else."""

from fastapi import FastAPI

from services import publish
from services.kit.web import create_web
from services.publish import api, asking, errors, household, open_data, pages
from services.publish.bodies.english import English
from services.publish.hot.absent import Absent
from services.publish.hot.aged import Aged
from services.publish.hot.answers import Answer
from services.publish.hot.front import Front, Store
from services.publish.visit import PublishRuntime


def create_app(runtime: PublishRuntime) -> English:
    """Build the application of one process: rendered bodies first, everything else behind them; all pages in English as well."""
    bodies = runtime.own.bodies
    hot = Store(bodies.release, runtime.settings.hot_cache_bytes)
    rendered = runtime.settings.rendered
    fixed = {path: Answer(packed) for path, packed in bodies.fixed.items()}
    return English(Front(create_behind(runtime), hot, Absent(rendered), Aged(rendered, runtime.clock), fixed))


def create_behind(runtime: PublishRuntime) -> FastAPI:
    """What answers when no rendered body does."""
    app = create_web(runtime, publish.__doc__ or "", errors=errors)
    pages.mount_errors(app, runtime.own.bodies)
    # Before the API: `/disclosures/{id}.csv` is no disclosure.
    app.include_router(open_data.router)
    app.include_router(api.router)
    app.include_router(asking.router)
    app.include_router(household.router)
    app.include_router(pages.router)
    return app
