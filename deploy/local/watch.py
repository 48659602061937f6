"""Whether a part that runs still answers: a frozen process never ends, so waiting for its end notices nothing.

    why = await hung(part)        # returns only when it has not answered for `part.patience` probes in a row

Probes are counted, not seconds: a supervisor that was itself stopped, or a machine that slept, ends nobody. Each part
says how it is asked (`Part.trouble`): a request that needs no disk, no database and no other part, so that a server in
a long checkpoint, a service whose database is away or a broker that elects a leader still answer it.
"""

import asyncio
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from deploy.local.part import Part

#: From the beginning of one probe to the beginning of the next.
EVERY_S: Final = 3.0
#: A part on a busy machine has this long to answer one; a little less than the pause, so that probes keep their beat.
ANSWER_S: Final = 2.5
SILENT: Final = "does not answer"

#: PostgreSQL's question whether it speaks TLS: answered by one letter before anybody signs in, and not logged.
_SSL_REQUEST: Final = struct.pack(">ii", 8, 80_877_103)
#: Kafka's question for its versions, the oldest form: api 18, version 0, correlation 1, no client's name.
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)


async def hung(part: "Part") -> str:
    """Return what is wrong once a part has not answered `part.patience` probes in a row."""
    loop = asyncio.get_running_loop()
    missed, said = 0, SILENT
    while missed < part.patience:
        begin = loop.time()
        trouble = await asked(part)
        missed, said = (missed + 1, trouble) if trouble else (0, SILENT)
        await asyncio.sleep(max(0.0, begin + EVERY_S - loop.time()))
    return said


async def asked(part: "Part") -> str | None:
    """Probe a part once: what is wrong, in a few words, or None."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await part.trouble()
    except (OSError, TimeoutError, ValueError, EOFError):
        return SILENT


async def postgres_answers(port: int) -> bool:
    """Tell whether PostgreSQL's postmaster and a process that it forks say a letter."""
    return await _reply(port, _SSL_REQUEST, 1) in {b"N", b"S"}


async def kafka_answers(port: int) -> bool:
    """Tell whether a broker's threads take a request and answer it."""
    head = await _reply(port, _API_VERSIONS, 8)
    return bool(struct.unpack(">ii", head)[1] == 1)


async def http_status(port: int, path: str) -> tuple[int, bytes]:
    """The status and the body of a GET on this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        status = (await reader.readline()).split()
        _, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(status[1]), body
    except IndexError:
        raise EOFError from None
    finally:
        writer.close()


async def _reply(port: int, request: bytes, count: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.readexactly(count)
    finally:
        writer.close()
