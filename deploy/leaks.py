"""`python -m deploy.leaks`: keys, tokens and passwords that stand in a tracked file, where no secret belongs.

Works on the files that git knows, without network. A secret of a known form (private key, token of a provider, JWT) is
looked for in every file. Quoted strings that look random, and values beside a word such as "password", are looked for
wherever `EXPECTED` does not say why such strings stand there. Exit status 1 and one line for each find; the value itself
is never printed.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters.heuristic import is_potential_uuid, is_sequential_string, is_templated_secret
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import (
    Base64HighEntropyString,
    HexHighEntropyString,
    HighEntropyStringsPlugin,
)
from detect_secrets.plugins.keyword import KeywordDetector

ROOT: Final = Path(__file__).resolve().parents[1]

#: Files in which strings look random or stand beside "password", and why. Secrets of a known form are no less forbidden there.
EXPECTED: Final[Mapping[str, str]] = {
    "deploy/local/kafka/jgo.lock.toml": "sums of jars",
    "requirements/*.txt": "sums of packages",
    "services/audit/rules/lock.json": "sums of rules",
    "services/contracts/schemas/*": "written from the code",
    "services/contracts/examples/*": "made-up keys and sealed texts: golden examples",
    "services/*/schemas/examples.json": "made-up passwords, shown in the API's documents",
    "docs/openapi/*": "written from the code, with those examples",
    "docs/asyncapi.json": "written from the code, with those examples",
    "docs/sbom.json": "sums of jars",
    "tests/*": "made-up people with made-up passwords, sums that a test expects",
}
#: Values that are none, wherever they stand.
HARMLESS: Final = frozenset(
    {
        "0123456789ABCDEFGHJKMNPQRSTVWXYZ",  # the alphabet of codes (Crockford's base 32)
        "scram-sha-256",  # PostgreSQL's word for how it checks passwords
        "0001234567891234567891",  # digits for the Chinese ones, of services/contracts/privacy
        "89954d0372aa4b1fb7ffd66a823497d8",  # the example of a request's id
        "sha256-dHBXOqvMAaYlH5loqIKF4pj0tBlTfwLg9EPEINusLcM=",  # the sum of the gateway's own style, in its policy
        "改密码",  # what the trail's page calls the changing of one
        "text (secret)",  # the list of settings, of a setting's type
    }
)
#: An address is not secret.
_NO_SECRETS: Final = frozenset({"Public IP (ipv4)"})
# The library's own defaults.
_RANDOM: Final = (Base64HighEntropyString(limit=4.5), HexHighEntropyString(limit=3.0))
_KEYWORD: Final = KeywordDetector()


@dataclass(frozen=True, order=True, slots=True)
class Leak:
    """Where something stands that looks like a secret."""

    path: str
    line: int
    kind: str


def _known_forms() -> list[RegexBasedDetector]:
    kinds: Mapping[str, type[BasePlugin]] = get_mapping_from_secret_type_to_class()
    return [k() for name, k in kinds.items() if issubclass(k, RegexBasedDetector) and name not in _NO_SECRETS]


def _random_values(text: str, detector: HighEntropyStringsPlugin) -> Iterator[str]:
    for value in detector.analyze_string(text):
        if detector.calculate_shannon_entropy(value) > detector.entropy_limit:
            yield value


def _is_secret(value: str) -> bool:
    # One character, or what stands for a value: `…`, `{password}`.
    nothing = len(value) == 1 or is_templated_secret(value)
    return not (nothing or value in HARMLESS or is_potential_uuid(value) or is_sequential_string(value))


def _suspects(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Kind and value of what looks random, or stands behind a word like `password`."""
    for detector in _RANDOM:
        yield from ((detector.secret_type, value) for value in _random_values(text, detector))
    for line in text.splitlines():
        yield from ((s.type, s.secret_value or "") for s in _KEYWORD.analyze_line(path, line))


def leaks_in(path: str, text: str) -> set[Leak]:
    """Find what looks like a secret in the text of a file; `path` is relative to the repository and decides what is expected."""
    found = {(d.secret_type, value) for d in _FORMS for value in d.analyze_string(text)}
    if not any(fnmatch(path, pattern) for pattern in EXPECTED):
        found |= set(_suspects(path, text))
    return {Leak(path, text[: text.find(value)].count("\n") + 1, kind) for kind, value in found if _is_secret(value)}


def leaks(root: Path = ROOT) -> list[Leak]:
    """Find what looks like a secret in the files that git knows (those that are not ignored)."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    found: set[Leak] = set()
    for path in filter(None, told.decode().split("\0")):
        content = (root / path).read_bytes() if (root / path).is_file() else b""
        if b"\0" not in content[:1024]:
            found |= leaks_in(path, content.decode(errors="replace"))
    return sorted(found)


_FORMS: Final = _known_forms()


def main() -> int:
    """Print the finds; 1 when there are any."""
    found = leaks()
    for leak in found:
        print(
            f"{leak.path}:{leak.line}: {leak.kind}: take it out and change it, or say in deploy/leaks.py why it is none"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
