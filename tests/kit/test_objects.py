"""Public files by their hash: whole or not there, and no name of a caller is ever a path."""

import asyncio
from pathlib import Path

import pytest

from services.kit.objects import Objects

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


async def test_a_file_is_found_by_its_hash_until_it_is_deleted(tmp_path: Path) -> None:
    objects = Objects(tmp_path, None)
    assert await objects.put(b"abc") == ABC
    assert await objects.put(b"abc") == ABC
    assert await objects.get(ABC) == b"abc"
    await objects.delete(ABC)
    assert await objects.get(ABC) is None
    await objects.delete(ABC)


async def test_a_second_process_sees_the_file(tmp_path: Path) -> None:
    await Objects(tmp_path, None).put(b"abc")
    assert await Objects(tmp_path, None).get(ABC) == b"abc"


async def test_the_same_file_put_many_times_at_once_stands_there_once_and_whole(tmp_path: Path) -> None:
    objects = Objects(tmp_path, None)
    content = b"x" * 1_000_000
    names = set(await asyncio.gather(*(objects.put(content) for _ in range(8))))
    assert len(names) == 1
    assert await objects.get(names.pop()) == content
    assert len(list(tmp_path.glob("objects/*/*"))) == 1  # noqa: ASYNC240 - one look at a small folder


@pytest.mark.parametrize("name", ["", "../../etc/passwd", ABC.upper(), ABC[:-1], ABC + "\n", ABC + "0", "/" + ABC])
async def test_what_is_no_hash_never_reaches_the_disk(tmp_path: Path, name: str) -> None:
    objects = Objects(tmp_path, None)
    with pytest.raises(ValueError, match="not a digest"):
        await objects.get(name)
    with pytest.raises(ValueError, match="not a digest"):
        await objects.delete(name)
