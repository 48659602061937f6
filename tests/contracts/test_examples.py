"""Golden messages: one per event, read and written back unchanged, and none left over."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError

from deploy.docs import OUTPUTS, ROOT, main, map_text, stale, write
from services.contracts.bodies import Ledger, body_digest
from services.contracts.catalogue import ItemKind
from services.contracts.disclosure import ApprovedContent, DisclosureApproved
from services.contracts.topics import EVENTS, TOPIC_OF, UnknownEventTypeError, parse
from tests.contracts.test_bodies_kinds import LATER

EXAMPLES = ROOT / "services/contracts/examples"


def example(topic: str, tag: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / topic / f"{tag}.json").read_text("utf-8"))
    return found


def short_times(read: dict[str, Any]) -> dict[str, Any]:
    """Drop the zeros at the end of seconds, which are the writer's choice."""
    return {
        k: re.sub(r"\.?0*Z$", "Z", v) if isinstance(v, str) and "T" in v and "." in v else v for k, v in read.items()
    }


def test_every_event_and_every_kind_of_body_has_its_example_and_none_is_left_over() -> None:
    there = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*") if path.is_file()}
    events = {f"{topic.name}/{tag}.json" for tag, topic in TOPIC_OF.items()}
    later = {f"bodies/{name}.json" for name in LATER}
    assert there == events | later | {f"bodies/{kind}.json" for kind in ItemKind}
    assert (len(events), len(there)) == (41, 58)


@pytest.mark.parametrize("tag", sorted(EVENTS))
def test_example_is_read_and_written_back_unchanged(tag: str) -> None:
    path = EXAMPLES / TOPIC_OF[tag].name / f"{tag}.json"
    event = parse(tag, path.read_bytes())
    assert type(event) is EVENTS[tag]
    written = event.model_dump_json()
    assert json.loads(written, object_hook=short_times) == json.loads(path.read_bytes(), object_hook=short_times)
    assert parse(tag, written.encode()) == event


@pytest.mark.parametrize("tag", sorted(EVENTS))
def test_reader_ignores_fields_it_does_not_know(tag: str) -> None:
    wanted = example(TOPIC_OF[tag].name, tag)
    event = parse(tag, json.dumps({**wanted, "from_the_future": {"a": 1}}).encode())
    assert event == parse(tag, json.dumps(wanted).encode())


@pytest.mark.parametrize("tag", sorted(EVENTS))
def test_event_names_its_own_type_and_needs_its_envelope(tag: str) -> None:
    wanted = example(TOPIC_OF[tag].name, tag)
    assert wanted["type"] == tag
    for field in ("event_id", "occurred_at", "aggregate_id", "aggregate_version", "actor_role"):
        with pytest.raises(ValidationError):
            parse(tag, json.dumps({k: v for k, v in wanted.items() if k != field}).encode())
    with pytest.raises(ValidationError):
        parse(tag, json.dumps({**wanted, "type": "alert.other.v1"}).encode())
    with pytest.raises(ValidationError):
        parse(tag, json.dumps({**wanted, "occurred_at": "2026-11-05T01:00:00"}).encode())


def test_unknown_tag_and_broken_json_are_told_apart() -> None:
    with pytest.raises(UnknownEventTypeError):
        parse("disclosure.forgotten.v1", b"{}")
    with pytest.raises(ValidationError):
        parse("code.set.v1", b"{")


def test_sealed_example_opens_with_the_example_key_and_is_the_digest_told() -> None:
    key = base64.b64decode(example("sanwu.keys", "key.set.v1")["key"])
    raw = example("sanwu.disclosures", "disclosure.approved.v1")
    event = DisclosureApproved.model_validate(raw)
    nonce, text = base64.b64decode(event.sealed.nonce), base64.b64decode(event.sealed.ciphertext)
    name = f"{event.aggregate_id}:disclosure.approved.v1".encode()
    content = ApprovedContent.model_validate_json(AESGCM(key).decrypt(nonce, text, name))
    assert len(nonce) == 12
    assert isinstance(content.body, Ledger)
    assert content.body.lines[0].summary == "修村部水管"
    assert body_digest(content.body) == event.digest
    assert event.digest == "83099a9fd235711ed96c19f182c8d0cef7ab782899765b51d7cc752b02c0a2be"
    with pytest.raises(InvalidTag):
        AESGCM(key).decrypt(nonce, text, b"another:disclosure.approved.v1")


def test_generated_files_are_current() -> None:
    assert stale() == {}, "run python -m deploy.docs"
    assert main(["--check"]) == 0


def test_stale_missing_and_left_over_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(stale(tmp_path)) == set(OUTPUTS)
    assert set(write(tmp_path)) == set(OUTPUTS)
    assert stale(tmp_path) == {}
    schemas = tmp_path / "services/contracts/schemas"
    (tmp_path / "docs/map.md").write_text("# Map\n", "utf-8")
    (schemas / "sanwu.old.v1.json").write_text("{}\n", "utf-8")
    found = {path.as_posix(): diff for path, diff in stale(tmp_path).items()}
    assert sorted(found) == ["docs/map.md", "services/contracts/schemas/sanwu.old.v1.json"]
    assert "+```mermaid" in found["docs/map.md"]
    write(tmp_path)
    assert stale(tmp_path) == {}
    assert not (schemas / "sanwu.old.v1.json").exists()
    assert capsys.readouterr().out == ""


def test_map_shows_writers_and_readers() -> None:
    text = map_text()
    assert '  ingest --> sanwu_disclosures(["sanwu.disclosures"])\n  sanwu_disclosures --> publish\n' in text
    assert "| `audit.dlq` | `the record's own key` | 1 | audit | – | – | kept for ever | – |" in text
    assert (
        "| `sanwu.keys` | `aggregate id` | 3 | ingest | publish, audit | `key.set.v1` `key.set.v2` | compacted, sent first |"
        in text
    )
