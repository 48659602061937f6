"""已采用: an address looked through before it is kept, and the page of whoever took something over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.contracts import privacy
from services.publish.render.village import EntryView

#: An address of an article; longer ones carry what nobody needs.
LONGEST_ADDRESS: Final = 300
#: Bytes of the secret that leads back.
TAKER_DIGITS: Final = 32


def address_faults(address: str, hosts: Collection[str]) -> list[str]:
    """What is wrong with an address that is to be shown: of the web, of a medium that the city named, without a person's data."""
    if len(address) > LONGEST_ADDRESS:
        return [f"网址最多{LONGEST_ADDRESS}个字符。"]
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        plain = parts.scheme == "https" and bool(host) and parts.username is None and parts.port in {None, 443}
    except ValueError:
        plain, host = False, ""
    if not plain or not address.isascii() or any(sign.isspace() or sign in "<>\"'`" for sign in address):
        return ["请写完整的网址，以 https:// 开头，不带用户名和端口。"]
    if host not in hosts:
        return [f"{host} 不在本市登记的媒体里，网址不能显示。可以不写网址，照样登记、照样收到更正通知。"]
    if any(place.hits for place in privacy.places(address, "address")):
        return ["网址里好像有电话或证件号，请换一个不带这些的网址，或者不写网址。"]
    return []


@dataclass(frozen=True, slots=True)
class TakenView:
    """One disclosure that was taken over: what to do about it now, if anything."""

    id: str
    entry: EntryView
    whose: str
    version: int
    address: str | None
    told: str
    changed: bool


@dataclass(frozen=True, slots=True)
class TakenPage:
    """All that somebody took over, with the feed and the buttons that remove it."""

    taker: str
    rows: Sequence[TakenView]
    feed: str


def told_words(*, is_live: bool, version: int, newest: int) -> str:
    """What an editor has to do about what was taken over."""
    if not is_live:
        return "已经撤回，请一并撤下"
    if newest > version:
        return f"更正过，现在是第{newest}版，请照着改"
    return "没有变化"
