"""What programs, feed readers, spreadsheets and search engines fetch beside the pages and the JSON."""

from fastapi import APIRouter

from services.publish.open_data import adopting, archives, cards, embeds, feeds, stream, tables

router = APIRouter()
# A picture is no table of an item: more exact addresses come first.
for part in (feeds, adopting, cards, tables, archives, stream, embeds):
    router.include_router(part.router)
