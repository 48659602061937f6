"""The desk: server-rendered pages by role, complete without script. Pages call commands and read stores, nothing else."""

from fastapi import APIRouter

from services.ingest.pages import entry, imports, quarters, reading, steps, todo, township, waivers
from services.ingest.pages.frame import STATIC

router = APIRouter(include_in_schema=False)
for _part in (todo, entry, reading, steps, township, waivers, quarters, imports):
    router.include_router(_part.router, prefix="/desk")

#: Bytes allowed on the desk's paths that take files.
UPLOADS = {"/desk/attachments": 12 * 1024 * 1024, "/desk/sheets": 12 * 1024 * 1024, "/desk/imports": 12 * 1024 * 1024}

__all__ = ["STATIC", "UPLOADS", "router"]
