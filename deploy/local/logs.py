"""A part's output on its way into files that do not grow without end, while the part runs.

    log = Log(Path("logs/publish.log"))
    log.follow(reading_end_of_a_pipe)         # a thread reads until everybody has closed the other end
    log.finish()                              # what the dead left in the pipe is in the file

The file that is full is renamed to `….log.1`, the older ones move on, the oldest goes: SANWU_LOG_BYTES (20 MiB) each,
SANWU_LOG_FILES (5) of them, the one in use included. Between a part and its file stands a pipe of this process, so
nothing is lost when files change and no part has to know of it. A thread and no task: it reads on whatever the event
loop does. On a full disk it goes on reading, and says later how much could not be kept; a part never waits for a disk.
"""

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.local.faults import Fault

_BYTES: Final = 20 << 20
_FILES: Final = 5
#: Room for what parts say while this process is stopped (Ctrl-Z) or has no time; where the system has it so.
_PIPE_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 16
_LAST_WORDS_S: Final = 2.0


def limits() -> tuple[int, int]:
    """How many bytes a file may have, and how many files there may be of each part."""
    return _number("SANWU_LOG_BYTES", _BYTES), _number("SANWU_LOG_FILES", _FILES)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise Fault(f"{name} is {text!r}: give a whole number above 0.")
    return int(text)


class Log:
    """The files of one part; all that is written comes through here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes, self._files = limits()
        # What outlives a killed part may still hold its pipe while the next one speaks already.
        self._lock = threading.Lock()
        self._readers: list[threading.Thread] = []
        self._whole_line = True
        self._lost = 0

    def follow(self, descriptor: int) -> None:
        """Read a pipe to its end; closes it."""
        with suppress(OSError, AttributeError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        reader = threading.Thread(target=self._read, args=(descriptor,), name=f"log {self.path.name}", daemon=True)
        self._readers = [r for r in self._readers if r.is_alive()] + [reader]
        reader.start()

    def finish(self) -> None:
        """Wait for what was said before the end; not for ever, since a grandchild may hold on to the pipe."""
        for reader in self._readers:
            reader.join(_LAST_WORDS_S)

    def write(self, words: bytes) -> None:
        """Append; a file is changed for the next between two lines."""
        with self._lock:
            try:
                self._append(words)
            except OSError:
                self._lost += len(words)

    def _read(self, descriptor: int) -> None:
        while words := os.read(descriptor, _CHUNK):
            self.write(words)
        os.close(descriptor)

    def _append(self, words: bytes) -> None:
        if self._lost:
            note = f"[{self._lost} bytes could not be written here]\n".encode()
            self._put(note)
            self._lost = 0
        while words:
            count = self._fitting(words)
            if count == 0:
                self._turn_over()
                continue
            self._put(words[:count])
            words = words[count:]

    def _fitting(self, words: bytes) -> int:
        """How much goes into the file in use: whole lines, and a begun one to its end; 0 when the next must be begun."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size + len(words) <= self._bytes:
            return len(words)
        room = max(0, self._bytes - size)
        lines = words.rfind(b"\n", 0, room) + 1
        if lines or (self._whole_line and size):
            return lines
        return words.find(b"\n") + 1 or len(words)

    def _put(self, words: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            while words:
                written = file.write(words)
                self._whole_line = words[written - 1 : written] == b"\n"
                words = words[written:]

    def _turn_over(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n}") for n in range(1, self._files))]
        # The oldest is written over.
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.replace(older)
        if len(names) == 1:
            self.path.unlink()
