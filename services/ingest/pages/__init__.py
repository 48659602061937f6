"""The desk: server-rendered pages by role, complete without script. Pages call commands and read stores, nothing else."""

from fastapi import APIRouter

from services.ingest.pages import (
    entry,
    imports,
    quarters,
    questions,
    reading,
    saving,
    steps,
    todo,
    township,
    vouchers,
    waivers,
    workbooks,
)
from services.ingest.pages.frame import STATIC

router = APIRouter(include_in_schema=False)
_PARTS = (todo, entry, saving, reading, vouchers, steps, township, waivers, quarters, questions, workbooks, imports)
for _part in _PARTS:
    router.include_router(_part.router, prefix="/desk")

#: Bytes that come in on the desk's paths which take files: more than a file may have, for a form whose file is too large
#: comes back with all that was typed.
UPLOADS = dict.fromkeys(("/desk/attachments", "/desk/sheets", "/desk/imports", "/desk/vouchers"), 32 * 1024 * 1024)

__all__ = ["STATIC", "UPLOADS", "router"]
