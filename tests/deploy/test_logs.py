"""Logs change files while a part runs: nothing is lost, nothing grows without end."""

import os
import sys
from pathlib import Path

import pytest

from deploy.local.faults import Fault
from deploy.local.kafka import Kafka
from deploy.local.logs import Log, limits
from deploy.local.part import Part


class Talker(Part):
    """Says numbered lines on both of its ways out, and lives on."""

    name = "talker"

    def command(self) -> list[str]:
        program = (
            "import os, time\n"
            "for n in range(3000):\n"
            "    os.write(1 + n % 2, b'%06d said by a part that runs\\n' % n)\n"
            "time.sleep(600)\n"
        )
        return [sys.executable, "-c", program]

    async def is_ready(self) -> bool:
        return self.said().endswith(b"002999 said by a part that runs\n")

    def said(self) -> bytes:
        """All files, the oldest first."""
        return b"".join(file.read_bytes() for file in self.files())

    def files(self) -> list[Path]:
        older = sorted(self.home.logs.glob("talker.log.*"), key=lambda f: -int(f.suffix[1:]))
        return [*older, self.log] if self.log.exists() else older


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANWU_LOG_BYTES", "4000")


@pytest.mark.usefixtures("small_files")
async def test_nothing_is_lost_when_files_change_under_a_running_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANWU_LOG_FILES", "100")
    async with Talker(tmp_path) as talker:
        assert talker.process.returncode is None
        lines = [f"{n:06d} said by a part that runs" for n in range(3000)]
        assert talker.said().decode().splitlines() == lines
        sizes = [file.stat().st_size for file in talker.files()]
        assert len(sizes) == 24
        assert max(sizes) <= 4000
        assert all(file.read_bytes().endswith(b"\n") for file in talker.files())


@pytest.mark.usefixtures("small_files")
async def test_the_oldest_lines_go_and_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANWU_LOG_FILES", "3")
    async with Talker(tmp_path) as talker:
        assert sorted(f.name for f in talker.files()) == ["talker.log", "talker.log.1", "talker.log.2"]
        numbers = [int(line[:6]) for line in talker.said().splitlines()]
        assert numbers == list(range(numbers[0], 3000))


@pytest.mark.usefixtures("small_files")
async def test_a_broker_s_own_log_keeps_to_the_same_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANWU_LOG_FILES", "3")
    async with Kafka(tmp_path) as kafka:
        files = sorted(f.name for f in kafka.home.logs.glob("kafka-server.log*"))
        assert files == ["kafka-server.log", "kafka-server.log.1", "kafka-server.log.2"]
        # log4j looks at the size after an event, and one event (the broker's settings) is long.
        assert all(f.stat().st_size < 40_000 for f in kafka.home.logs.glob("kafka-server.log*"))


@pytest.mark.usefixtures("small_files")
def test_a_line_longer_than_a_file_stays_in_one_piece_and_pieces_of_a_line_stay_together(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log")
    log.write(b"short\n")
    log.write(b"x" * 9000)
    log.write(b"y" * 9000 + b"\nnext\n")
    assert (tmp_path / "a.log.2").read_bytes() == b"short\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 9000 + b"y" * 9000 + b"\n"
    assert (tmp_path / "a.log").read_bytes() == b"next\n"


def test_a_disk_that_takes_nothing_stops_nobody_and_is_told_later(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    log = Log(folder / "a.log")
    reading, writing = os.pipe()
    log.follow(reading)
    os.write(writing, b"nobody keeps this\n")
    os.close(writing)
    log.finish()
    folder.mkdir()
    log.write(b"this is kept\n")
    assert (folder / "a.log").read_text() == "[18 bytes could not be written here]\nthis is kept\n"


@pytest.mark.parametrize("text", ["0", "-5", "20 MiB", "٣"])
def test_limit_that_makes_no_sense_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SANWU_LOG_BYTES", text)
    with pytest.raises(Fault, match="SANWU_LOG_BYTES is"):
        limits()
