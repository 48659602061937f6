"""JSON routes of the registry."""

from fastapi import APIRouter

from services.registry.api import account, catalogue, reading, staff

router = APIRouter(prefix="/registry/v1")
for part in (account, reading, catalogue, staff):
    router.include_router(part.router)

__all__ = ["router"]
