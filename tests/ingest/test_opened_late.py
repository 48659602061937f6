"""What reads foreign files has read all of its own files before: later it may no more.

Of a city whose owner keeps the project in a private folder, the process that opens a foreign file has given up its right to read
there by then; what a library first looks for while it works (an encoding, a module) is not found, and every such file seems broken.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

HERE = Path(__file__).parent
#: As services/kit/confined.py begins; then every file of Python or of the project is closed.
CHILD = """
import codecs, importlib, sys
from services.kit.confined import _ENCODINGS
answer = importlib.import_module(sys.argv[1]).answer
for encoding in _ENCODINGS:
    codecs.lookup(encoding)
def refuse(event, args):
    if event == "open" and isinstance(args[0], str) and args[0].startswith(tuple(sys.argv[2:])):
        raise PermissionError(args[0])
sys.addaudithook(refuse)
sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
"""
FILES = sorted((HERE / "spreadsheets").glob("[0-9]*"))


def answer(module: str, data: bytes, *closed: str) -> bytes:
    asked = [sys.executable, "-B", "-c", CHILD, module, *closed]
    done = subprocess.run(asked, check=False, input=data, capture_output=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[-1000:]
    return done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_table_is_read_with_the_project_closed(file: Path) -> None:
    module, data = "services.ingest.workbooks.reading", file.read_bytes()
    closed = answer(module, data, sys.prefix, sys.base_prefix, str(ROOT))
    assert closed == answer(module, data, "/nowhere")
    assert not closed.startswith(b'{"unreadable"')


def test_the_prepared_file_is_read_with_the_project_closed() -> None:
    module, data = "services.ingest.bulk.prepared", "村代码,事项\n一,二\n".encode("gb18030")
    assert answer(module, data, sys.prefix, sys.base_prefix, str(ROOT)) == answer(module, data, "/nowhere")
