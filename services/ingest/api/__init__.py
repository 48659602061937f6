"""JSON routes of ingest."""

from services.ingest.api import disclosures, files, month
from services.ingest.api.files import UPLOADS

routers = (
    disclosures.router,
    disclosures.once,
    files.router,
    files.once,
    month.router,
    month.once,
)

__all__ = ["UPLOADS", "routers"]
