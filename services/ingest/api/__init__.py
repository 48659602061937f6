"""JSON routes of ingest."""

from services.ingest.api import disclosures, files, month, questions
from services.ingest.api.files import UPLOADS

routers = (
    disclosures.router,
    disclosures.once,
    files.router,
    files.once,
    month.router,
    month.once,
    questions.router,
    questions.once,
)

__all__ = ["UPLOADS", "routers"]
