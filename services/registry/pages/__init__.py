"""Pages of the registry: signing in and out, one's own account, administration."""

from fastapi import APIRouter

from services.registry.pages import account, admin, looking, signing
from services.registry.pages.frame import STATIC

router = APIRouter(include_in_schema=False)
for part in (signing, account, admin, looking):
    router.include_router(part.router)

__all__ = ["STATIC", "router"]
