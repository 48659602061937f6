"""TLS to Kafka and PostgreSQL, for real: certificates that are checked, lines in the clear that are refused."""

import asyncio
import datetime as dt
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from deploy.local import migrate, topics
from deploy.local.faults import Fault
from deploy.local.kafka import OPERATOR, Kafka
from services.kit.broker import Broker, is_here, sealed_by
from services.kit.db import Database
from services.kit.settings import Settings
from tests import builders
from tests.conftest import Parts


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for this machine that vouches for itself."""

    #: The certificate alone, as clients take it for a CA.
    ca: Path
    key: Path
    #: Key and certificate in one file, as Kafka takes them.
    both: Path


def certificate(folder: Path, name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = Certificate(folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}.pem")
    for file, content in ((files.ca, public), (files.key, private), (files.both, private + public)):
        file.touch(mode=0o600)
        file.write_bytes(content)
    return files


class SealedKafka(Kafka):
    """A broker that speaks TLS to its clients."""

    certificate: Certificate

    def _properties(self, data: Path) -> str:
        plain = super()._properties(data).replace("CLIENT:SASL_PLAINTEXT", "CLIENT:SASL_SSL")
        return (
            f"{plain}listener.name.client.ssl.keystore.type=PEM\n"
            f"listener.name.client.ssl.keystore.location={self.certificate.both}\n"
        )

    def broker(self, username: str = OPERATOR) -> Broker:
        return replace(super().broker(username), tls=sealed_by(str(self.certificate.ca)))


class Sealer:
    """TLS before a PostgreSQL that speaks none (the wheel's does not), as a pooler stands before one; nothing in the clear.

    Answers the protocol's SSLRequest (message flow, 54.2.10) and passes on what comes out of the TLS.
    """

    def __init__(self, port: int, own: Certificate) -> None:
        self._port = port
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(own.ca, own.key)
        #: TLS versions of the lines that were sealed.
        self.versions: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(8) != struct.pack(">ii", 8, 80_877_103):
                return
            writer.write(b"S")
            await writer.start_tls(self._context)
            self.versions.append(writer.get_extra_info("ssl_object").version())
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate]:
    """The servers' own, and a stranger's."""
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o711)
    return certificate(folder, "own"), certificate(folder, "stranger")


@pytest.fixture(scope="module")
async def kafka(
    tmp_path_factory: pytest.TempPathFactory, certificates: tuple[Certificate, Certificate]
) -> AsyncIterator[SealedKafka]:
    part = SealedKafka(tmp_path_factory.mktemp("sealed"))
    part.certificate = certificates[0]
    async with part:
        await topics.apply(part.broker())
        yield part


@pytest.fixture
async def sealed(
    parts: Parts, certificates: tuple[Certificate, Certificate]
) -> AsyncIterator[tuple[Sealer, Callable[[Path], str]]]:
    """A sealed line to PostgreSQL, and the URL of the service qr over it with somebody's CA."""
    sealer = Sealer(parts.pg.port, certificates[0])
    server = await asyncio.start_server(sealer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def url(ca: Path) -> str:
        open_line = parts.pg.dsn("qr").replace(f":{parts.pg.port}/", f":{port}/")
        return f"{open_line}?sslmode=verify-full&sslrootcert={ca}"

    yield sealer, url
    server.close()


def settings(**changes: Any) -> Settings:
    values = {
        "database_url": "postgresql://qr:x@127.0.0.1/sanwu",
        "kafka": "127.0.0.1:9092",
        "kafka_username": "qr",
        "kafka_password": "none",
        "http_port": 0,
        "home": ".",
        **builders.ROOT_SETTINGS,
    }
    return Settings.model_validate({**values, **changes})


async def test_a_service_writes_and_another_reads_over_tls(kafka: SealedKafka) -> None:
    def of(service: str) -> dict[str, Any]:
        known = {"kafka": kafka.bootstrap, "kafka_username": service, "kafka_tls": str(kafka.certificate.ca)}
        return settings(**known, kafka_password=kafka.broker(service).password).broker.options()

    async with AIOKafkaProducer(**of("qr"), enable_idempotence=True, acks="all") as producer:
        await producer.send_and_wait("sanwu.codes", b"sealed", key=b"k")
    consumer = AIOKafkaConsumer("sanwu.codes", **of("publish"), auto_offset_reset="earliest")
    async with consumer:
        assert (await consumer.getone()).value == b"sealed"


async def test_a_broker_with_a_stranger_s_certificate_or_a_line_in_the_clear_is_refused(
    kafka: SealedKafka, certificates: tuple[Certificate, Certificate]
) -> None:
    for tls in (sealed_by(str(certificates[1].ca)), sealed_by("system"), None):
        client = AIOKafkaClient(**replace(kafka.broker("qr"), tls=tls).options(), request_timeout_ms=3_000)
        with pytest.raises(KafkaConnectionError):
            await client.bootstrap()
        await client.close()


async def test_a_service_and_its_migrations_reach_postgresql_over_tls(
    sealed: tuple[Sealer, Callable[[Path], str]], certificates: tuple[Certificate, Certificate]
) -> None:
    sealer, url = sealed
    await migrate.migrate("qr", url(certificates[0].ca))
    by_migrations = len(sealer.versions)
    assert by_migrations > 0
    database = Database(settings(database_url=url(certificates[0].ca)), "test-tls")
    await database.open()
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT current_user") == "qr"
    await database.close()
    assert len(sealer.versions) > by_migrations
    assert set(sealer.versions) <= {"TLSv1.2", "TLSv1.3"}


async def test_postgresql_with_a_stranger_s_certificate_is_refused(
    sealed: tuple[Sealer, Callable[[Path], str]], certificates: tuple[Certificate, Certificate]
) -> None:
    sealer, url = sealed
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncpg.connect(url(certificates[1].ca))
    with pytest.raises(Fault, match="certificate"):
        await migrate.migrate("qr", url(certificates[1].ca))
    assert sealer.versions == []


AWAY = "postgresql://qr:x@db.example/sanwu"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kafka": "127.0.0.1:9092,kafka.example:9092"}, "Kafka at kafka.example:9092 would be reached in the clear"),
        ({"kafka": "10.0.0.7:9092"}, "Kafka at 10.0.0.7:9092 would be reached in the clear"),
        ({"database_url": AWAY}, "PostgreSQL at db.example would be reached without proof"),
        ({"database_url": f"{AWAY}?sslmode=require"}, "PostgreSQL at db.example would be reached without proof"),
        ({"database_url": "postgresql://qr:x@/sanwu?host=db.example"}, "PostgreSQL at db.example would be reached"),
        ({"database_url": "postgresql://qr:x@/sanwu?host=/run/pg,db.example"}, "PostgreSQL at db.example would be"),
        ({"database_url": "postgresql://qr:x@localhost:5432,db.example:5433/sanwu"}, "PostgreSQL at db.example would"),
        ({"kafka_tls": "/nowhere/ca.pem"}, "/nowhere/ca.pem holds no CA's certificate"),
        ({"kafka_tls": __file__}, "holds no CA's certificate"),
    ],
)
def test_a_secret_never_goes_over_an_open_wire(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"kafka": "kafka.example:9093", "kafka_tls": "system"},
        {"database_url": f"{AWAY}?sslmode=verify-full&sslrootcert=/etc/ca.pem"},
        {"kafka": "kafka.example:9092", "database_url": AWAY, "wire_is_private": True},
        {"kafka": "[::1]:9092,localhost:9092", "database_url": "postgresql://qr:x@localhost/sanwu"},
        {"database_url": "postgresql://qr:x@/sanwu?host=/run/a%20b&port=5432"},
        {"database_url": "postgresql://qr:x@%2Frun%2Fpg:5432/sanwu"},
        {"database_url": "postgresql://qr:x@[::1]:5432,localhost/sanwu"},
    ],
)
def test_what_is_sealed_or_stays_on_the_machine_is_taken(changes: dict[str, Any]) -> None:
    assert settings(**changes).kafka_username == "qr"


def test_what_is_here_and_what_is_not() -> None:
    assert all(is_here(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "/run/pg"))
    assert not any(is_here(host) for host in ("localhost.example", "10.0.0.1", "kafka", "::2"))
