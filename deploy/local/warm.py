"""What a machine works out once so that every later start is shorter: Kafka's classes, read and linked by its Java.

    python -m deploy.local.warm      # a broker is started and stopped in a folder of its own; nothing to do a second time

Java reads, checks and links some ten thousand classes at each start of a broker, and nothing of it ever differs. From a cache
(JEP 483) it takes them as they are. The cache stands beside the jars and is named by what it was made of: another version of
Kafka or of Java has another. Where there is none, or Java does not want it, a broker starts as it would without.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import ClassVar, Final

from deploy.local import jars
from deploy.local.faults import Fault
from deploy.local.kafka import Kafka

_MADE: Final = "learned.aot"


class _Learning(Kafka):
    """A broker that writes the cache into its home when it ends."""

    #: Java makes it on its way out.
    stop_seconds: ClassVar[float] = 300.0

    @property
    def made(self) -> Path:
        """The file of prepared classes that it leaves behind."""
        return self.home.path / _MADE

    def caching(self) -> list[str]:
        """Note what is used, instead of using what was noted."""
        return [f"-XX:AOTCacheOutput={self.made}"]


def warm() -> None:
    """Make the cache unless it is there; a machine that cannot make one has cities that start slower, and nothing else."""
    cache = jars.cache()
    if cache.exists():
        return
    try:
        for left in jars.FOLDER.glob("*.aot*"):
            left.unlink()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o711)
            made = asyncio.run(_learn(Path(folder) / "home"))
            partial = cache.with_suffix(".aot.partial")
            partial.write_bytes(made.read_bytes())
            partial.chmod(0o644)
            partial.replace(cache)
    except (Fault, OSError) as error:
        sys.stderr.write(f"Kafka's classes could not be prepared; cities start slower. {error}\n")


async def _learn(home: Path) -> Path:
    async with _Learning(home) as kafka:
        pass
    if not kafka.made.exists():
        raise Fault(f"Java left no cache: {kafka.last_words()}")
    return kafka.made


if __name__ == "__main__":
    warm()
