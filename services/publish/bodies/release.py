"""What a release of rendered bodies is named by: everything that has a hand in how they look."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Final

#: Packages whose next version may write the same page otherwise, and files of ours that do.
_RENDERING: Final = ("brotli", "jinja2", "markupsafe", "pydantic", "pydantic-core", "python-stdnum")
_MAKES_BODIES: Final = frozenset({".html", ".css", ".js", ".py", ".csv", ".txt"})
_SERVICES: Final = Path(__file__).parents[2]


def fingerprint(settings: str, services: Path = _SERVICES) -> str:
    """Names a release: bodies rendered by other templates, other code or other packages are not used.

    `settings`: what of the settings stands on pages. What a page shows is made by the words and the plumbing too: a duty's state, a masked name, a sum.
    """
    digest = hashlib.sha256(settings.encode())
    for package in _RENDERING:
        digest.update(f"{package} {version(package)}\n".encode())
    for room in ("contracts", "kit", "publish"):
        for file in sorted(p for p in (services / room).rglob("*") if p.suffix in _MAKES_BODIES):
            digest.update(f"{file.relative_to(services)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
