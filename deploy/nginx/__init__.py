"""The front for a big city: an nginx configuration with the gateway's routes, headers, limits and standby.

python -m deploy.nginx > /etc/nginx/nginx.conf
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
_PLACEHOLDER: Final = re.compile(r"\{\$(?P<name>[A-Z_]+)(?::(?P<default>[^}]*))?\}")
#: Nothing that would end a word, a statement or a block of the configuration; a listener has words of its own.
_VALUE: Final = re.compile(r"[\w.:/@%+*\[\]-]+( [\w.:/@%+*\[\]-]+)*")


class FrontError(ValueError):
    """A setting is missing or would change the configuration; the text is the whole message."""


def filled(environment: Mapping[str, str]) -> str:
    """The configuration for what the environment says; with SANWU_CERTIFICATE the part for TLS too."""
    front, tls = ((FOLDER / name).read_text(encoding="utf-8") for name in ("front.conf", "tls.conf"))
    text = front.replace("\t# {tls}\n", tls if "SANWU_CERTIFICATE" in environment else "", 1)
    return _filled(text, {"SANWU_FRONT": str(FOLDER), **environment})


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        told = values.get(found["name"], found["default"])
        if told is None:
            message = f"{found['name']} is not set: {FOLDER}/front.conf says what it is."
            raise FrontError(message)
        if _VALUE.fullmatch(told) is None:
            message = f"{found['name']} is {told!r}: nginx would not read that as one value."
            raise FrontError(message)
        return told

    lines = (line if line.lstrip().startswith("#") else _PLACEHOLDER.sub(value, line) for line in text.splitlines())
    return "\n".join(lines) + "\n"
