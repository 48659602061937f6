"""JSON routes of qr, the pictures, what is printed, and where codes hang."""

from services.qr.api import codes, hangings, printing
from services.qr.api.hangings import UPLOADS

routers = (codes.router, codes.once, hangings.router, printing.router)

__all__ = ["UPLOADS", "routers"]
