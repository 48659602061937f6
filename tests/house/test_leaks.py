"""No secret stands in a file, and one that were put there would be found; the bill of materials names what runs."""

import json
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import cyclonedx.schema
import jsonschema_rs
import pytest

from deploy.leaks import EXPECTED, leaks, leaks_in
from deploy.local import jars
from tests.running import ROOT


def test_no_file_holds_a_secret() -> None:
    assert leaks() == []


#: Put together here, so that this file holds none.
_PEM = "-----BEGIN " + "PRIVATE KEY-----"
_AMAZON = "AKIA" + "QYLPMN5HFIQR7XYA"
_TOKEN = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize("path", ["services/kit/db.py", "docs/operations.md", "tests/kit/test_db.py", "docs/sbom.json"])
@pytest.mark.parametrize("value", [_PEM, f"key = {_AMAZON}", f"Authorization: Bearer {_TOKEN}"])
def test_a_secret_of_a_known_form_is_found_wherever_it_stands(path: str, value: str) -> None:
    assert [leak.line for leak in leaks_in(path, f"one\n\n{value}\n")] == [3]


def test_a_password_and_a_random_string_are_found_where_none_is_expected() -> None:
    password = f'password = "{secrets.token_urlsafe(9)}x7"\n'
    key = f'KEY = "{secrets.token_hex(32)}"\n'
    for planted in (password, key):
        assert leaks_in("deploy/local/kafka.py", planted)
        assert not leaks_in("tests/kit/test_db.py", planted)


def test_a_file_that_git_does_not_know_yet_is_looked_at_and_an_ignored_one_is_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "ignored").write_text(_PEM)
    (tmp_path / "new").write_text(_PEM)
    assert [leak.path for leak in leaks(tmp_path)] == ["new"]


def test_every_reason_names_files_that_are_there() -> None:
    assert [pattern for pattern in EXPECTED if not list(ROOT.glob(pattern))] == []


def _schema(uri: str) -> Any:
    """A schema of CycloneDX, as the library ships it."""
    return json.loads((Path(cyclonedx.schema.__file__).parent / "_res" / uri.rpartition("/")[2]).read_text("utf-8"))


def test_the_bill_of_materials_is_valid_and_holds_every_locked_package_and_jar_and_nothing_of_the_moment() -> None:
    text = (ROOT / "docs/sbom.json").read_text("utf-8")
    told = json.loads(text)
    jsonschema_rs.Draft7Validator(_schema("bom-1.6.SNAPSHOT.schema.json"), retriever=_schema).validate(told)
    named = {f"{part['name']}=={part['version']}" for part in told["components"]}
    locked = set(re.findall(r"(?m)^([a-z0-9][^ ;]*==[^ ;]+)", (ROOT / "requirements/runtime.txt").read_text("utf-8")))
    assert len(locked) > 60
    of_jars = {":".join(jar.coordinate.split(":")[1:]).replace(":", "==") for jar in jars.locked()}
    assert named == locked | of_jars
    assert "serialNumber" not in told
    assert "timestamp" not in told["metadata"]
