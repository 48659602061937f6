"""Everything in the repository that is written from the code: schemas of topics, the map.

`python -m deploy.docs` writes, `python -m deploy.docs --check` compares and exits 1 naming what is stale. `OUTPUTS`
is the list: one path, one function that returns the file's text. Nothing here may depend on the machine or the time.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from services.contracts.topics import SERVICES, TOPICS, Topic, topic_schema

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = Path("services/contracts/schemas")
MAP: Final = Path("docs/map.md")


def as_json(value: object) -> str:
    """Write JSON the way it is checked in."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def schema_text(topic: Topic) -> str:
    """Write the JSON Schema of everything that travels on a topic."""
    return as_json(topic_schema(topic))


def _policy(topic: Topic) -> str:
    if not topic.compacted:
        return (
            "kept for ever" if topic.config.get("retention.ms") == "-1" else f"kept {topic.config['retention.ms']} ms"
        )
    return "compacted, sent first" if topic.first else "compacted"


def _row(topic: Topic) -> str:
    events = " ".join(f"`{event.model_fields['type'].default}`" for event in topic.events)
    schema = f"[schema](../{SCHEMAS.as_posix()}/{topic.name}.v1.json)" if topic.events else "–"
    readers = ", ".join(topic.consumers)
    cells = (
        f"`{topic.name}`",
        f"`{topic.key}`",
        str(topic.partitions),
        topic.producer,
        readers,
        events,
        _policy(topic),
        schema,
    )
    return "| " + " | ".join(cell or "–" for cell in cells) + " |"


def _node(topic: Topic) -> str:
    return topic.name.replace(".", "_")


def _flow(topic: Topic) -> list[str]:
    reads = [f"  {_node(topic)} --> {reader}" for reader in topic.consumers]
    return [f'  {topic.producer} --> {_node(topic)}(["{topic.name}"])', *reads]


def map_text() -> str:
    """Draw services and topics (mermaid), and list every topic."""
    # Dead letters would hide the picture behind five more arrows; the table has them.
    travelled = [topic for topic in TOPICS if topic.events]
    lines = [
        "# Map",
        "",
        "Written by `python -m deploy.docs` from `services/contracts/topics.py`; do not edit.",
        "",
        "Boxes are services, rounded boxes are topics; each topic has one writer. Dead letters are in the table alone.",
        "",
        "```mermaid",
        "flowchart LR",
        *(f"  {name}[{name}]" for name in SERVICES),
        *(line for topic in travelled for line in _flow(topic)),
        "```",
        "",
        "| topic | key | partitions | producer | consumers | events | policy | schema |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(topic) for topic in TOPICS),
    ]
    return "\n".join(lines) + "\n"


#: Every generated file, relative to the repository's root.
OUTPUTS: Final[Mapping[Path, Callable[[], str]]] = {
    MAP: map_text,
    **{SCHEMAS / f"{topic.name}.v1.json": partial(schema_text, topic) for topic in TOPICS if topic.events},
}


def _orphans(root: Path) -> list[Path]:
    """Find schemas that no topic writes any more."""
    return sorted(path for p in (root / SCHEMAS).glob("*.json") if (path := p.relative_to(root)) not in OUTPUTS)


def stale(root: Path = ROOT) -> dict[Path, str]:
    """Find the files that are not what the code says, each with a unified diff from what is there."""
    diffs = {}
    for path, text in OUTPUTS.items():
        there = (root / path).read_text("utf-8") if (root / path).exists() else ""
        if there != (wanted := text()):
            names = (str(path), f"{path} (from the code)")
            diffs[path] = "".join(
                difflib.unified_diff(there.splitlines(keepends=True), wanted.splitlines(keepends=True), *names)
            )
    return diffs | dict.fromkeys(_orphans(root), "no topic writes this file: remove it\n")


def write(root: Path = ROOT) -> list[Path]:
    """Bring every generated file up to date; tells which ones changed."""
    changed = list(stale(root))
    for path in changed:
        target = root / path
        if path not in OUTPUTS:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(OUTPUTS[path](), "utf-8")
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when `--check` found something stale."""
    parser = argparse.ArgumentParser(prog="python -m deploy.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    if not parser.parse_args(arguments).check:
        for path in write():
            print(f"written: {path}")
        return 0
    diffs = stale()
    for path, diff in diffs.items():
        print(f"stale: {path} (run python -m deploy.docs)\n{diff}")
    return 1 if diffs else 0


if __name__ == "__main__":
    sys.exit(main())
