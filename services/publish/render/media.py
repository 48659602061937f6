"""What an editor takes of a disclosure: text to paste, a script to read, the source and the record's number. Never of what names persons."""

from dataclasses import dataclass
from html import escape
from typing import Final

from services.contracts.bodies import Roster
from services.contracts.names import HIDDEN
from services.publish.render.card import SHAPES
from services.publish.render.disclosure import DisclosurePage, Opened
from services.publish.render.texts import names_anybody
from services.publish.render.words import LICENCE

#: Styles stand in the text itself: editors of messaging accounts take no others over.
_TEXT: Final = "font-size:17px;line-height:1.75;color:#1c1a17;margin:0 0 12px"
_TITLE: Final = "font-size:20px;line-height:1.4;color:#8f1414;margin:0 0 12px"
_SOURCE: Final = "font-size:14px;line-height:1.6;color:#555555;margin:16px 0 0"
_CELL: Final = "border:1px solid #d9d0c3;padding:6px 10px;font-size:16px"


@dataclass(frozen=True, slots=True)
class MediaView:
    """What may be taken of a disclosure. `refusal`: why nothing may, then all the rest is blank; `followed`: the feed of what becomes of it."""

    page: DisclosurePage
    refusal: str | None
    article: str
    plain: str
    script: tuple[str, ...]
    source: str
    record: str
    followed: str
    cards: tuple[tuple[str, str], ...]


def media_view(page: DisclosurePage, content: Opened, disclosure_id: str, public_url: str) -> MediaView:
    """Put an editor's material together, of figures and sentences; rosters, and whatever names a person, are not passed on."""
    address = f"{public_url}/d/{disclosure_id}"
    record = f"{disclosure_id} 第{page.edition}版"
    source = f"阳光三务，{page.publisher}{page.published}公开，{address}（第{page.edition}版）"
    facts, words = _facts(page), _words(page)
    lines = (*(f"{name}：{value}" for name, value in facts), *words)
    if isinstance(content.body, Roster) or names_anybody(lines) or any(HIDDEN in line for line in lines):
        return MediaView(page, "里面有人名，只供村里人核对，请不要转载。", "", "", (), source, record, "", ())
    title = f"{page.village.name}：{page.title}"
    names = {"wide": "横图 1200×630", "tall": "竖图 900×1200"}
    return MediaView(
        page=page,
        refusal=None,
        article=_article(title, facts, words, source),
        plain="\n".join((title, *lines, f"来源：{source}")),
        script=(
            f"{page.village.name}公开了{page.title}。",
            *(f"{line.removesuffix(' ✓').rstrip('。')}。" for line in lines),
            "想看全部内容，请扫公开栏上的码，不用登录，也不收钱。",
        ),
        source=source,
        record=record,
        followed=f"/adopted.atom?taken={disclosure_id}.{page.edition}",
        cards=tuple((names[shape], f"/d/{disclosure_id}/card-{shape}.png") for shape in SHAPES),
    )


def _facts(page: DisclosurePage) -> list[tuple[str, str]]:
    """What there is to say in figures, how late it came too."""
    found = list(page.body.facts) if page.body is not None else []
    ledger = page.ledger
    if ledger is not None:
        found = [("期初还有", ledger.opening), ("收进来", ledger.income), ("花出去", ledger.expense)]
        found.append(("期末还剩", ledger.closing))
    if page.checks is not None:
        found.append(("加起来对不对", page.checks.line))
    if page.timing.late:
        found.append(("公开得准时吗", page.timing.late))
    return found


def _words(page: DisclosurePage) -> list[str]:
    """What stands in sentences: a body's own, each difference, what was corrected."""
    found = [line for _, lines in page.body.words for line in lines] if page.body is not None else []
    found += [d.words for d in page.checks.differences] if page.checks is not None else []
    return [*found, *([f"更正说明：{page.note}"] if page.note else [])]


def _article(title: str, facts: list[tuple[str, str]], words: list[str], source: str) -> str:
    """The same as HTML with styles of its own, for pasting."""
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(name)}</td><td style="{_CELL};text-align:right">{escape(value)}</td></tr>'
        for name, value in facts
    )
    table = f'<table style="border-collapse:collapse;width:100%;margin:0 0 12px">{rows}</table>' if rows else ""
    paragraphs = "".join(f'<p style="{_TEXT}">{escape(line)}</p>' for line in words)
    terms = f'<a href="{LICENCE}">知识共享署名 4.0</a>'
    below = f'<p style="{_SOURCE}">来源：{escape(source)}。{terms}</p>'
    return f'<section><h2 style="{_TITLE}">{escape(title)}</h2>{table}{paragraphs}{below}</section>'
