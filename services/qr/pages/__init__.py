"""The pages of qr: what a scan opens (one redirect, or a plain word), and the desk of codes: list, print, hang, import."""

from services.qr.pages import desk, hanging, printing, scanning
from services.qr.pages.frame import OWN_STATIC, STATIC

#: The desk's own words come before codes, which stand in the same place of an address.
routers = (printing.router, hanging.router, desk.router, scanning.router)

__all__ = ["OWN_STATIC", "STATIC", "routers"]
