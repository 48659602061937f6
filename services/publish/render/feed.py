"""What a village opened last, for feed readers (RFC 4287), and the list of pages for search engines (sitemaps.org 0.9)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from services.publish.render.places import Items, Village, title
from services.publish.render.rows import Publication
from services.publish.render.village import state_words

ATOM: Final = "application/atom+xml; charset=utf-8"
XML: Final = "application/xml; charset=utf-8"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"


def atom(public_url: str, village: Village, items: Items, newest_first: Sequence[Publication], now: datetime) -> bytes:
    """A village's feed: each disclosure with its state, no content; `now` where there is none yet."""
    home = f"{public_url}/v/{village.code}"
    feed = ET.Element("feed", xmlns=_ATOM)
    changed = [p.withdrawn_at or p.published_at for p in newest_first]
    for name, text in (
        ("id", home),
        ("title", f"{village.name}（{village.township.name}）三务公开"),
        ("updated", max(changed, default=now).isoformat()),
    ):
        ET.SubElement(feed, name).text = text
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=home)
    ET.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{home}/feed.atom")
    ET.SubElement(ET.SubElement(feed, "author"), "name").text = village.name
    for p, at in zip(newest_first, changed, strict=True):
        _entry(ET.SubElement(feed, "entry"), f"{public_url}/d/{p.disclosure_id}", title(items, p.item, p.period), p, at)
    return _text(feed)


def _entry(entry: ET.Element, url: str, name: str, p: Publication, at: datetime) -> None:
    for tag, text in (("id", url), ("title", name), ("published", p.first_published_at.isoformat())):
        ET.SubElement(entry, tag).text = text
    ET.SubElement(entry, "updated").text = at.isoformat()
    ET.SubElement(entry, "link", rel="alternate", type="text/html", href=url)
    ET.SubElement(entry, "summary").text = "；".join(state_words(p))


def sitemap(public_url: str, paths: Iterable[str]) -> bytes:
    """The pages that search engines may keep for good; what names persons is not among them."""
    root = ET.Element("urlset", xmlns=_SITEMAP)
    for path in paths:
        ET.SubElement(ET.SubElement(root, "url"), "loc").text = f"{public_url}{path}"
    return _text(root)


def _text(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
