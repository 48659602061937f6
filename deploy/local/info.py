"""Where the parts of a city are, and the settings that its services get.

known(path)            # of a home in which a city was started before; reads, and writes nothing
planned(home, url)     # of a city that is to be started: ports and passwords are chosen where there are none
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from services.kit.broker import Broker
from services.kit.keypair import public_half_of

from deploy.local.faults import Fault
from deploy.local.home import Home, read_json
from deploy.local.kafka import OPERATOR, secret_of
from deploy.local.postgres import SERVICES, dsn_within
from deploy.local.service import Standby, environment, process_names, service_of

#: Under these names the private half of the registry's root key stands in secrets.json, and while it is being changed the
#: public half of the one before, or the private half of the one to come, which the others have to know first.
ROOT: Final = "registry-root"
FORMER_ROOT: Final = "registry-root-former"
NEXT_ROOT: Final = "registry-root-next"
_KEY_BYTES: Final = 32
#: The gateway's addresses in a home, and everybody else's.
PORTS: Final = "ports.json"
#: What keys of contents are wrapped with, among the passwords of a home, for those who read contents; and what signing keys
#: and second factors are closed with, for registry alone.
KEY_SEAL: Final = "key_seal"
REGISTRY_SEAL: Final = "registry_seal"
#: What the digits of households' cards are hashed with, in a home whose owner turned 家里的一行 on (`SANWU_HOUSEHOLDS=on`).
HOUSEHOLDS: Final = "household_key"
_HOUSEHOLDS_OF: Final = ("ingest", "publish")
_SEALS: Final = {"registry": REGISTRY_SEAL, "ingest": KEY_SEAL, "publish": KEY_SEAL, "audit": KEY_SEAL}


@dataclass(frozen=True)
class StackInfo:
    """What is told of a city to whoever works on it."""

    home: Path
    #: The gateway's address, as people see it.
    url: str
    #: The content of ports.json.
    addresses: Mapping[str, str]
    #: SANWU_… settings of each service, and of each copy of one.
    settings: Mapping[str, Mapping[str, str]]

    @property
    def broker(self) -> Broker:
        """Kafka as the operator sees it."""
        password = read_json(self.home / "secrets.json").get(secret_of(OPERATOR), "")
        return Broker(self.addresses["kafka"], OPERATOR, str(password))

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment for a command of a service, such as `python -m services.registry import`."""
        return environment(self.settings[service])


def known(path: Path) -> StackInfo:
    """The city of a home; a fault where none was ever started."""
    passwords, addresses = _secrets(path), read_json(path / PORTS)
    if not passwords or not addresses:
        raise Fault(f"No city lives in {path}: set SANWU_HOME to its folder, or start one there with `make run`.")
    return _info(path, {n: str(a) for n, a in addresses.items()}, {n: str(p) for n, p in passwords.items()})


def planned(home: Home, url: str) -> StackInfo:
    """The city that is to be reached at `url`."""
    inner = {name: f"http://127.0.0.1:{home.port(name)}" for name in (*process_names(), Standby.name)}
    drivers = {name: f"127.0.0.1:{home.port(name)}" for name in ("postgres", "kafka")}
    passwords = {secret: home.password(secret) for name in SERVICES for secret in (name, secret_of(name))}
    passwords |= {seal: home.password(seal) for seal in (KEY_SEAL, REGISTRY_SEAL)}
    passwords |= {key: home.password(key, _KEY_BYTES) for key in (ROOT, *map(_trail, SERVICES))}
    known = _secrets(home.path)
    passwords |= _chosen(home, known)
    passwords |= {name: str(known[name]) for name in (FORMER_ROOT, NEXT_ROOT) if name in known}
    return _info(home.path, {"gateway": url, **inner, **drivers}, passwords)


def _chosen(home: Home, known: Mapping[str, object]) -> dict[str, str]:
    """The keys of what is off unless the home's owner turns it on; once on it stays so."""
    is_on = HOUSEHOLDS in known or os.environ.get("SANWU_HOUSEHOLDS") == "on"
    return {HOUSEHOLDS: home.password(HOUSEHOLDS)} if is_on else {}


def _secrets(path: Path) -> dict[str, object]:
    return read_json(path / "secrets.json")


def _trail(service: str) -> str:
    """How the home calls the key by which a service signs the heads of its trail."""
    return f"trail {service}"


def _signing(service: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """What a service signs with, and what it checks by; nothing of a home that no city with such keys was started in."""
    keys = {name: passwords[_trail(name)] for name in SERVICES if _trail(name) in passwords}
    if service not in keys:
        return {}
    public = {name: public_half_of(key) for name, key in keys.items()}
    return {"SANWU_TRAIL_KEY": keys[service], "SANWU_TRAIL_KEYS": json.dumps(public)}


def _households(service: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """The key for those who take digits and those who look for them, where it is on."""
    is_on = service in _HOUSEHOLDS_OF and HOUSEHOLDS in passwords
    return {"SANWU_HOUSEHOLD_KEY": passwords[HOUSEHOLDS]} if is_on else {}


def _info(home: Path, addresses: Mapping[str, str], passwords: Mapping[str, str]) -> StackInfo:
    url = addresses["gateway"]
    settings = {
        process: {
            "SANWU_DATABASE_URL": dsn_within(home, name, passwords[name], addresses["postgres"]),
            "SANWU_KAFKA": addresses["kafka"],
            "SANWU_KAFKA_USERNAME": name,
            # A home that was stopped before Kafka had passwords has none until its next start.
            "SANWU_KAFKA_PASSWORD": passwords.get(secret_of(name), ""),
            "SANWU_HTTP_PORT": str(urlsplit(addresses[process]).port),
            "SANWU_HOME": str(home),
            "SANWU_PUBLIC_URL": url,
            "SANWU_INSTANCE": process,
            **({"SANWU_KEY_SEAL": passwords[_SEALS[name]]} if _SEALS.get(name) in passwords else {}),
            **_signing(name, passwords),
            **_households(name, passwords),
        }
        for process in addresses
        if (name := service_of(process)) in SERVICES
    }
    if ROOT in passwords:
        # A home that was stopped before there were root keys has none until its next start.
        roots = [public_half_of(passwords[name]) for name in (ROOT, NEXT_ROOT) if name in passwords]
        roots += [passwords[FORMER_ROOT]] if FORMER_ROOT in passwords else []
        for known_to in settings.values():
            known_to["SANWU_REGISTRY_ROOT"] = json.dumps(roots)
        settings["registry"]["SANWU_REGISTRY_ROOT_KEY"] = passwords[ROOT]
    return StackInfo(home, url, addresses, settings)
