"""What was opened last, for feed readers (RFC 4287), and the list of pages for search engines (sitemaps.org 0.9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from services.publish.render.rows import Publication
from services.publish.render.village import EntryView
from services.publish.render.words import TERMS

ATOM: Final = "application/atom+xml; charset=utf-8"
XML: Final = "application/xml; charset=utf-8"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed is of: the page that it follows, its title, who opens what is in it; `path` is where it stands, or what it stands below, if not that page."""

    page: str
    title: str
    author: str
    path: str | None = None

    @property
    def below(self) -> str:
        """What names the feed for good (RFC 4287, section 4.2.6); it stands there, or at `/feed.atom` below it."""
        return (self.page if self.path is None else self.path).rstrip("/")

    @property
    def own(self) -> str:
        """The path at which the feed itself stands."""
        return self.below if ".atom" in self.below else f"{self.below}/feed.atom"


def atom(
    public_url: str, about: Feed, newest_first: Sequence[tuple[Publication, str, EntryView]], now: datetime
) -> bytes:
    """A feed: each disclosure, and before its name whose it is, as lists tell of it, how late it came too, no content; `now` where there is none yet."""
    home = f"{public_url}{about.below}"
    feed = ET.Element("feed", xmlns=_ATOM)
    changed = [p.withdrawn_at or p.published_at for p, _, _ in newest_first]
    for name, text in (
        ("id", home),
        ("title", about.title),
        ("updated", max(changed, default=now).isoformat()),
    ):
        ET.SubElement(feed, name).text = text
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=f"{public_url}{about.page}")
    ET.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{public_url}{about.own}")
    ET.SubElement(feed, "rights").text = TERMS
    ET.SubElement(ET.SubElement(feed, "author"), "name").text = about.author
    for (p, whose, view), at in zip(newest_first, changed, strict=True):
        entry, url = ET.SubElement(feed, "entry"), f"{public_url}{view.url}"
        for name, text in (
            ("id", url),
            ("title", whose + view.period + view.official),
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
