"""What a process tells at its inner port of how it is: `/livez`, `/readyz`, `/metrics`."""

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.kit.runtime import AnyRuntime


def add_health(app: FastAPI, runtime: AnyRuntime) -> None:
    """Add the three addresses; the gateway lets none of them out."""

    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        """Whether every role turns. Asks nobody: a database that is away is no reason to start a process anew."""
        told = runtime.pulse.answer(runtime.settings.live_within_s)
        if runtime.loop_watch is not None:
            told["event_loop"] = runtime.loop_watch.facts()
        told["outbox"] = runtime.outbox_backlog.facts(runtime.clock.now())
        return JSONResponse(told, 200 if told["live"] else 503, {"cache-control": "no-store"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        reason = await runtime.unready_reason()
        return Response((reason or "ok") + "\n", 503 if reason else 200, media_type="text/plain")

    @app.get("/metrics", include_in_schema=False)
    async def exposition() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
