"""The process in which a file from outside is opened: bytes come in, the public file and what was read in it go out.

`python -m services.ingest.gate.child SECONDS MIB`, started by `kit.limited`. Out goes a line of JSON, then the file.
"""

import json
import resource
import sys

from services.ingest.gate.images import UnusableFileError, public_file


def _limit() -> None:
    seconds, mib = (int(word) for word in sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # macOS has no such limit.
    if sys.platform != "darwin":
        resource.setrlimit(resource.RLIMIT_AS, (mib * 1024 * 1024, mib * 1024 * 1024))


def _main() -> None:
    _limit()
    data = sys.stdin.buffer.read()
    try:
        made = public_file(data)
        head = {"media_type": made.media_type, "personal": _personal(made.content, made.media_type)}
        content = made.content
    except UnusableFileError as error:
        head, content = {"error": str(error)}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + content)
    sys.stdout.buffer.flush()


def _personal(content: bytes, media_type: str) -> list[tuple[int, str]] | None:
    if media_type != "application/pdf":
        return []
    # Read only for PDFs: pictures are most of what comes.
    from services.ingest.gate.documents import personal_data  # noqa: PLC0415 - see above

    return personal_data(content)


if __name__ == "__main__":
    _main()
