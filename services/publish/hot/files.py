"""Where rendered bodies stand, how they get there whole, and how they go for good.

A file appears by rename after fsync, so a reader finds the old body, the new one or none. Whatever stands here can be
made again from the database; what must never happen is that withdrawn content stays.

Whoever replaces or removes bodies changes the generation afterwards, so that readers, in this process or another, need
not ask the file system about every request.
"""

import contextlib
import mmap
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns
from typing import Final
from zlib import crc32

from services.kit.db import outside_transaction
from services.publish.hot.answers import Body, is_packed

#: Kind and key of something that is rendered: disclosure, village, item (`village/item`), items (all of a village),
#: township, city; all as a mark.
Subject = tuple[str, str]

_ID: Final = r"[0-9A-Za-z-]{1,64}"
_PATHS: Final = re.compile(
    rf"/|/t/[0-9]{{9}}|/v/[0-9]{{12}}(?:/[A-Z][0-9]{{2}})?|/d/{_ID}|/api/v1/villages/[0-9]{{12}}"
    rf"|/api/v1/disclosures/{_ID}|/assets/page-[0-9a-f]{{12}}\.css",
    re.ASCII,
)
_BY_ID: Final = ("/d/", "/api/v1/disclosures/")
_GENERATION: Final = "generation"
_NEWS: Final = "news"
_HEARD: Final = "heard"
#: So many that few readers are led by what others wait for.
_NEWS_COUNT: Final = 4096
_NUMBER_BYTES: Final = 8
_DISCLOSURES: Final = ("d", "api/v1/disclosures")


def item_of(key: str) -> tuple[str, str]:
    """Village and item that the key of an `item` names."""
    village, _, item = key.partition("/")
    return village, item


def paths_of(subject: Subject) -> tuple[str, ...]:
    """The paths that show a subject by rendered bodies."""
    kind, key = subject
    match kind:
        case "disclosure":
            return (f"/d/{key}", f"/api/v1/disclosures/{key}")
        case "village":
            return (f"/v/{key}", f"/api/v1/villages/{key}")
        case "item":
            return (f"/v/{key}",)
        case "township":
            return (f"/t/{key}",)
        case "items":
            return ()
        case _:
            return ("/",)


def is_disclosure(path: str) -> bool:
    """Tell whether a path is that of a disclosure, as a page or for programs."""
    return path.startswith(_BY_ID)


def file_of(release: Path, path: str) -> Path | None:
    """The file of a path; None when bodies of such paths are not kept."""
    if _PATHS.fullmatch(path) is None:
        return None
    if path == "/":
        return release / "index.body"
    folder, _, name = path[1:].rpartition("/")
    # A city-year has 30,000 disclosures: spread over 4,096 folders by the random end of the id.
    shard = name[-3:].rjust(3, "0") if is_disclosure(path) else ""
    return release / folder / shard / f"{name}.body"


class Generation:
    """The number of the rendered bodies' present state, as all processes of this machine see it: a mapped file."""

    def __init__(self, rendered: Path) -> None:
        """Map the number; the folder is made if need be."""
        self.view = _mapped(rendered, _GENERATION, 1)


class News:
    """When something of a disclosure last came to be read; each number stands for many disclosures."""

    def __init__(self, rendered: Path) -> None:
        """Map the numbers; the folder is made if need be."""
        self._view = _mapped(rendered, _NEWS, _NEWS_COUNT)

    def of(self, path: str) -> int:
        """When it did for the disclosure that a path names, by this machine's steady clock, in nanoseconds."""
        return self._view[_news_place(path.rpartition("/")[2])]


class Heard:
    """Until when everything that was said on the topics was heard, in seconds of Unix time; 0 as long as that is not known."""

    def __init__(self, rendered: Path) -> None:
        """Map the number; the folder is made if need be."""
        self.view = _mapped(rendered, _HEARD, 1)


def tell_heard(rendered: Path, at: int) -> None:
    """Tell every reader's process until when everything was heard."""
    _write_number(rendered, _HEARD, 1, 0, at.to_bytes(_NUMBER_BYTES, sys.byteorder))


def tell_news(rendered: Path, disclosure_id: str) -> None:
    """Tell every reader who waits for a disclosure that there is something now, and will soon be a file."""
    now = monotonic_ns().to_bytes(_NUMBER_BYTES, sys.byteorder)
    _write_number(rendered, _NEWS, _NEWS_COUNT, _news_place(disclosure_id), now)


def _news_place(disclosure_id: str) -> int:
    return crc32(disclosure_id.encode()) % _NEWS_COUNT


def _mapped(rendered: Path, name: str, count: int) -> memoryview:
    descriptor = _open_numbers(rendered, name, count)
    try:
        return memoryview(mmap.mmap(descriptor, _NUMBER_BYTES * count)).cast("Q")
    finally:
        os.close(descriptor)


def _open_numbers(rendered: Path, name: str, count: int) -> int:
    rendered.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(rendered / name, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(descriptor, _NUMBER_BYTES * count)
    return descriptor


def _write_number(rendered: Path, name: str, count: int, place: int, number: bytes) -> None:
    descriptor = _open_numbers(rendered, name, count)
    try:
        os.pwrite(descriptor, number, _NUMBER_BYTES * place)
    finally:
        os.close(descriptor)


def _next_generation(rendered: Path) -> None:
    """Tell every reader to look again. Random, not counted: two writers at once must not meet on one number."""
    _write_number(rendered, _GENERATION, 1, 0, os.urandom(_NUMBER_BYTES))


def write_all(rendered: Path, files: Sequence[tuple[Path, bytes]]) -> None:
    """Write files, each whole or not at all, durable when this returns."""
    outside_transaction("bodies written")
    folders = {target.parent for target, _ in files}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    # All are written before the first is made durable: what that brings to the disk is not brought again by the others.
    written = [(target, _written(target, content)) for target, content in files]
    for _, temporary in written:
        _sync(temporary)
    for target, temporary in written:
        temporary.replace(target)
    _next_generation(rendered)
    for folder in folders:
        _sync_folder(folder)


def keep_same(target: Path, body: Body) -> bool:
    """Leave a file that is a body's already, as one of now; False when it is another's, broken or not there."""
    try:
        with target.open("rb") as file:
            same = is_packed(file.readline(), os.fstat(file.fileno()).st_size, body)
        if same:
            os.utime(target)
    except FileNotFoundError:
        return False
    return same


def _written(target: Path, content: bytes) -> Path:
    """Write a file's content beside it, under another name."""
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(content)
    return temporary


def _sync(place: Path) -> None:
    """Make a file or a folder durable."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        _sync(folder)


def remove_rendered(rendered: Path, subjects: Sequence[Subject]) -> None:
    """Remove the bodies of subjects from every release, durably.

    It blocks, and a withdrawal calls it with its transaction open: see `handlers`.
    """
    paths = [p for s in subjects for p in paths_of(s)]
    for release in releases(rendered):
        for kind, key in subjects:
            if kind == "items":
                remove_items(release, (kind, key))
        for path in paths:
            target = file_of(release, path)
            if target is not None and target.exists():
                target.unlink(missing_ok=True)
                _sync_folder(target.parent)
    _next_generation(rendered)


def remove_items(release: Path, subject: Subject) -> None:
    """Remove the page of an item of a village, or those of all; each is made anew when somebody reads it, or when there is time."""
    kind, key = subject
    if kind == "items":
        shutil.rmtree(release / "v" / key, ignore_errors=True)
        _sync_folder(release / "v")
        return
    for path in paths_of(subject):
        if (target := file_of(release, path)) is not None:
            target.unlink(missing_ok=True)
            _sync_folder(target.parent)


def releases(rendered: Path) -> list[Path]:
    """The folders of releases; one, except while another takes its place."""
    return [p for p in rendered.iterdir() if p.is_dir()] if rendered.is_dir() else []


def remove_disclosures(release: Path) -> None:
    """Remove all disclosures' bodies of a release; each is rendered anew when somebody reads it."""
    outside_transaction("bodies removed")
    for folder in _DISCLOSURES:
        shutil.rmtree(release / folder, ignore_errors=True)
    _next_generation(release.parent)


def open_release(rendered: Path, release: Path) -> bool:
    """Make a release's folder and remove all others; False when it was there."""
    outside_transaction("a release opened")
    for other in releases(rendered):
        if other != release:
            shutil.rmtree(other, ignore_errors=True)
    if release.is_dir():
        return False
    release.mkdir(parents=True)
    return True
