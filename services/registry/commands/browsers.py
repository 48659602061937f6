"""How a browser is called in the list of one's sessions; what it says of itself in full is kept nowhere."""

from typing import Final

UNKNOWN: Final = "不认识的浏览器"
#: The first one that fits: many say that they are also Chrome, and all that they are Mozilla.
_BROWSERS: Final = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("Edg", "Edge"),
    ("QQBrowser", "QQ 浏览器"),
    ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
    ("UCBrowser", "UC 浏览器"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("HarmonyOS", "鸿蒙"),
    ("OpenHarmony", "鸿蒙"),
    ("Android", "安卓手机"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows 电脑"),
    ("Macintosh", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)


def words_of(user_agent: str) -> str:
    """`Windows 电脑上的 Edge`, of what a browser says in its User-Agent header."""
    browser = next((words for mark, words in _BROWSERS if mark in user_agent), None)
    system = next((words for mark, words in _SYSTEMS if mark in user_agent), None)
    if browser is None:
        return UNKNOWN
    return f"{system}上的 {browser}" if system is not None else browser
