"""How a page of the site becomes a file of an archive: its name, its links, and what the archive says of itself."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from posixpath import relpath
from typing import Final

from services.contracts.days import SHANGHAI
from services.publish.render.places import Items, Village
from services.publish.render.search import core_of, sound_of

#: What an archive holds, and the files' names; what else a page leads to is left out of it.
_FILES: Final = (
    (re.compile(r"/"), "index.html"),
    (re.compile(r"/search"), "search.html"),
    (re.compile(r"/en(/v/[0-9]{12})"), "{0}/en.html"),
    (re.compile(r"(/t/[0-9]{9}|/v/[0-9]{12}(?:/(?:big|en|questions|[A-Z][0-9]{2}(?:/20[0-9]{2})?))?)"), "{0}.html"),
    (re.compile(r"(/v/[0-9]{12}/[A-Z][0-9]{2}/20[0-9]{2}/spending)"), "{0}.html"),
    (re.compile(r"(/v/[0-9]{12}/[A-Z][0-9]{2}/20[0-9]{2}/spending\.csv)"), "{0}"),
    (re.compile(r"(/f/[0-9a-f]{16}(?:/20[0-9]{2})?)"), "{0}.html"),
    (re.compile(r"(/d/[0-9A-Za-z-]{1,64}\.csv)"), "{0}"),
    (re.compile(r"(/d/[0-9A-Za-z-]{1,64}(?:/[0-9]{1,9})?)"), "{0}.html"),
    (re.compile(r"(/q/[0-9a-f-]{36})"), "{0}.html"),
    (re.compile(r"/api/v1(/disclosures/[0-9A-Za-z-]{1,64})"), "{0}.json"),
    (re.compile(r"(/assets/[0-9a-z-]+\.(?:css|js)|/objects/[0-9a-f]{64})"), "{0}"),
)
#: Our own templates write every link so.
_LINK: Final = re.compile(r'(\s)(href|src|action)="(/[^"#?]*)([^"]*)"')
_OBJECT: Final = re.compile(r"/objects/([0-9a-f]{64})")
_BODY: Final = "<body>"
_HEAD_END: Final = "</head>"
#: A button that leads out of the archive is none here.
_STYLE: Final = (
    "<style>a.button:not([href]),a.asks:not([href]),a.lang:not([href]),form:not([action]){display:none}</style>"
)


def file_for(path: str) -> str | None:
    """The file of a path, relative to the archive's folder; None for what is not kept in it."""
    for known, name in _FILES:
        if (match := known.fullmatch(path)) is not None:
            return name.format(*match.groups()).lstrip("/")
    return None


def archived(text: str, path: str, at: datetime) -> tuple[str, set[str]]:
    """A page for its file: links by the files' names, those that lead out taken off, the day at its top; and the digests of files that it shows."""
    here = (file_for(path) or "").rpartition("/")[0] or "."

    def link(match: re.Match[str]) -> str:
        space, name, target, rest = match.groups()
        file = file_for(target)
        return f'{space}{name}="{relpath(file, here)}{rest}"' if file is not None else ""

    local = at.astimezone(SHANGHAI)
    told = (
        f'<aside class="stored"><strong>存档</strong>　这是{local.year}年{local.month}月{local.day}日 {local:%H:%M} 存下的样子，'
        "以后的变化这里没有</aside>"
    )
    made = _LINK.sub(link, text).replace(_HEAD_END, _STYLE + _HEAD_END, 1).replace(_BODY, _BODY + told, 1)
    return made, set(_OBJECT.findall(text))


@dataclass(frozen=True, slots=True)
class Index:
    """What the archive's search looks through: names of places and of items, never of persons."""

    villages: Sequence[Village]
    items: Items

    def as_script(self) -> str:
        """The names as a script: a page that is opened from a folder may read no other file."""
        villages = [[v.code, v.name, v.township.name, *sound_of(core_of(v.name))] for v in self.villages]
        newest = {code: item.revisions[-1] for code, item in sorted(self.items.items())}
        items = [[code, r.plain_name, r.name] for code, r in newest.items()]
        return f"const villages={_json(villages)},items={_json(items)};\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
