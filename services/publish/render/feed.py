"""What a village opened last, for feed readers (RFC 4287), and the list of pages for search engines (sitemaps.org 0.9)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from services.publish.render.places import Village
from services.publish.render.rows import Publication
from services.publish.render.village import EntryView

ATOM: Final = "application/atom+xml; charset=utf-8"
XML: Final = "application/xml; charset=utf-8"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"


def atom(
    public_url: str, village: Village, newest_first: Sequence[tuple[Publication, EntryView]], now: datetime
) -> bytes:
    """A village's feed: each disclosure as lists tell of it, how late it came too, no content; `now` where there is none yet."""
    home = f"{public_url}/v/{village.code}"
    feed = ET.Element("feed", xmlns=_ATOM)
    changed = [p.withdrawn_at or p.published_at for p, _ in newest_first]
    for name, text in (
        ("id", home),
        ("title", f"{village.name}（{village.township.name}）三务公开"),
        ("updated", max(changed, default=now).isoformat()),
    ):
        ET.SubElement(feed, name).text = text
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=home)
    ET.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{home}/feed.atom")
    ET.SubElement(ET.SubElement(feed, "author"), "name").text = village.name
    for (p, view), at in zip(newest_first, changed, strict=True):
        entry, url = ET.SubElement(feed, "entry"), f"{public_url}{view.url}"
        for name, text in (
            ("id", url),
            ("title", view.period + view.official),
            ("published", p.first_published_at.isoformat()),
            ("updated", at.isoformat()),
            ("summary", "；".join((*view.states, *([view.late] if view.late else [])))),
        ):
            ET.SubElement(entry, name).text = text
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=url)
    return _text(feed)


def sitemap(public_url: str, paths: Iterable[str]) -> bytes:
    """The pages that search engines may keep for good; what names persons is not among them."""
    root = ET.Element("urlset", xmlns=_SITEMAP)
    for path in paths:
        ET.SubElement(ET.SubElement(root, "url"), "loc").text = f"{public_url}{path}"
    return _text(root)


def _text(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
