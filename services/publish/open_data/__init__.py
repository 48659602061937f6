"""What programs, feed readers, spreadsheets and search engines fetch beside the pages and the JSON."""

from fastapi import APIRouter

from services.publish.open_data import archives, feeds, stream, tables

router = APIRouter()
for part in (feeds, tables, archives, stream):
    router.include_router(part.router)
