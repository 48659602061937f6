"""Pages of publish behind the rendered ones: what is asked for rarely, or before it was rendered; questions; errors as pages."""

from fastapi import APIRouter

from services.publish.pages import asking, joining, reading
from services.publish.pages.reading import mount_errors

router = APIRouter()
# The last of the others takes any address that leads nowhere.
for part in (asking.router, joining.router, reading.router):
    router.include_router(part)

__all__ = ["mount_errors", "router"]
