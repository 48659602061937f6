"""JSON routes of ingest."""

from fastapi import APIRouter

from services.ingest.api import disclosures, files, month
from services.ingest.api.desk import DeskDep, ReadingDeskDep, parse_body
from services.ingest.api.files import UPLOADS

router = APIRouter()
for part in (disclosures, files, month):
    router.include_router(part.router)

__all__ = ["UPLOADS", "DeskDep", "ReadingDeskDep", "parse_body", "router"]
