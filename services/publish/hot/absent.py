"""What is not there yet and is asked for again and again: the answer that says so, as long as nothing can have changed it.

It is given until a body was written or removed anywhere, when the file is looked for; the application is asked again some
seconds after something of the disclosure came to be read, which whoever commits it tells, or after some seconds without news.
What came to be read just now is being rendered: its file is waited for, since to make the page for whoever asks costs as much
again.
"""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from time import monotonic, monotonic_ns
from typing import Final

from services.publish.hot.answers import Answer, Message
from services.publish.hot.files import Generation, News, is_disclosure

#: A reader who waits for what nobody told of is answered anew after so long; for a disclosure, of which news is told, after
#: the longer time, which is for news that got lost.
_KEPT_S: Final = 3.0
_KEPT_TOLD_S: Final = 10.0
#: A folder that somebody removed by hand tells nothing.
_LOOK_COUNTS_S: Final = 0.5
_MOST: Final = 2000
#: So long after the news who heard "not there" before hears it again: where many wait, to make each page here as well would
#: hold up its making, and with it all others. Who asks for the first time gets a page that is made for them.
_MADE_SOON_S: Final = 3.0
#: So long after the news a file is waited for, and so often looked whether any was written.
_FILE_SOON_S: Final = 0.3
_FILE_LOOK_S: Final = 0.01
#: Method and path.
Place = tuple[str, str]


class _Missing:
    """An answer that there is nothing, until when it is kept, and the numbers as of which it is true."""

    __slots__ = ("generation", "look_until", "messages", "news", "until")

    def __init__(self, generation: int, news: int) -> None:
        self.generation = generation
        self.news = news
        self.messages: list[Message] = []
        self.until = 0.0
        self.look_until = 0.0


class Absent:
    """Answers that something is not there, of one process."""

    def __init__(self, rendered: Path) -> None:
        """Begin with no answer kept, beside the folder of the rendered bodies."""
        self._generation = Generation(rendered).view
        self._news = News(rendered)
        self._kept: dict[Place, _Missing] = {}

    def get(self, place: Place) -> _Missing | None:
        """What was answered, if it need not be asked for again; whether there is a file by now is another matter."""
        kept = self._kept.get(place)
        if kept is None:
            return None
        if self._age_s(place[1]) < _MADE_SOON_S:
            return kept
        if kept.news != self._news.of(place[1]) or kept.until < monotonic():
            del self._kept[place]
            return None
        return kept

    def _age_s(self, path: str) -> float:
        """Seconds since something of it came to be read; endless for a number of before the machine's clock began anew."""
        age = (monotonic_ns() - self._news.of(path)) / 1e9
        return age if age >= 0 else math.inf

    def needs_look(self, kept: _Missing) -> bool:
        """Tell whether a file may be there by now; the caller looks at once, and drops what was kept when one is."""
        generation, now = self._generation[0], monotonic()
        if kept.generation == generation and now < kept.look_until:
            return False
        kept.generation, kept.look_until = generation, now + _LOOK_COUNTS_S
        return True

    def drop(self, place: Place) -> None:
        """Forget what was answered: there is something now."""
        self._kept.pop(place, None)

    def begin(self, place: Place) -> _Missing:
        """Note how things stand before the application is asked: whatever changes from here on shows other numbers."""
        return _Missing(self._generation[0], self._news.of(place[1]))

    def keep(self, place: Place, asked: _Missing, messages: list[Message]) -> None:
        """Keep an answer of the application that there is nothing."""
        if len(self._kept) >= _MOST:
            self._kept.clear()
        asked.messages = messages
        asked.until = monotonic() + (_KEPT_TOLD_S if is_disclosure(place[1]) else _KEPT_S)
        self._kept[place] = asked

    async def await_file(self, path: str, look: Callable[[str], Answer | None]) -> Answer | None:
        """What is being rendered at this moment, by a look for its file, when it is there; None when it is not soon enough."""
        left = _FILE_SOON_S - self._age_s(path)
        if left <= 0:
            return None
        until, generation = monotonic() + left, None
        while monotonic() < until:
            if generation != self._generation[0]:
                generation = self._generation[0]
                if (answer := look(path)) is not None:
                    return answer
            await asyncio.sleep(_FILE_LOOK_S)
        return None
