"""Pages of a publish that has heard nothing new for a day say so: readers see what stood then, and must not take it for now."""

from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from time import monotonic
from typing import Final

from services.contracts.days import SHANGHAI
from services.kit.clock import Clock
from services.publish.hot.answers import HTML, Answer, Body, pack
from services.publish.hot.files import Heard

_DAY_S: Final = 24 * 60 * 60
_KEPT: Final = 500
#: To ask the clock costs more than the rest of an answer's way.
_LOOK_COUNTS_S: Final = 1.0
_BODY_TAG: Final = b"<body>"
_RIBBON: Final = (
    '<div class="stored" role="status"><strong>{at} 以后没有收到新的消息</strong>　'
    "那以后公开的、更正的、撤回的，这里可能还没有显示</div>"
)


def with_ribbon(body: Body, ribbon: str, at: float) -> bytes:
    """A body's content; a page has a ribbon at its top that names a moment (Unix time) as `{at}`."""
    if body.media_type != HTML:
        return body.content
    local = datetime.fromtimestamp(at, SHANGHAI)
    told = ribbon.format(at=f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}")
    return body.content.replace(_BODY_TAG, _BODY_TAG + told.encode(), 1)


class Aged:
    """Marks answers while the last word from the topics is more than a day old."""

    def __init__(self, rendered: Path, clock: Clock) -> None:
        """Look at the number beside the rendered bodies; as long as nobody wrote it, nothing is marked."""
        self._heard = Heard(rendered).view
        self._clock = clock
        self._look_at = 0.0
        #: Since when nothing was heard, in seconds of Unix time; 0 while that is less than a day.
        self._silent_since = 0
        self._marked: dict[str, tuple[Answer, Answer]] = {}

    def mark(self, path: str, answer: Answer) -> Answer:
        """The answer as it is, or one that tells since when nothing was heard."""
        if monotonic() >= self._look_at:
            self._look()
        if not self._silent_since:
            return answer
        of, marked = self._marked.get(path, (None, None))
        if of is not answer or marked is None:
            if len(self._marked) >= _KEPT:
                self._marked.clear()
            marked = _marked(answer, self._silent_since)
            self._marked[path] = answer, marked
        return marked

    def _look(self) -> None:
        self._look_at = monotonic() + _LOOK_COUNTS_S
        heard = self._heard[0]
        silent = heard and self._clock.now().timestamp() - heard >= _DAY_S
        self._silent_since = heard if silent else 0
        if not silent:
            self._marked.clear()


def _marked(answer: Answer, heard: int) -> Answer:
    start, message = answer.variants["identity"]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    body = Body(message["body"], headers["content-type"], start["status"], cache_control="no-store", indexed=False)
    content = with_ribbon(body, _RIBBON, heard)
    made = Answer(pack(Body(content, body.media_type, body.status, body.cache_control, indexed=False)))
    for told, _ in made.variants.values():
        told["headers"].append((b"last-modified", formatdate(heard, usegmt=True).encode()))
    return made
