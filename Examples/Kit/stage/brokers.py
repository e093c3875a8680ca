"""One broker, or three of them and a ZooKeeper: the same programs that run in production."""

import json
import os
import pathlib
import socket
import subprocess

from .running import Running, eventually, free_ports

ROOT = pathlib.Path(__file__).resolve().parents[3]
OTTLA = os.environ.get("OTTLA_PROGRAM", str(ROOT / ".build/release/ottla"))
ZOOKEEPER = pathlib.Path(os.environ.get("ZOOKEEPER_HOME", "/usr/share/zookeeper")) / "bin/zkServer.sh"

# Short enough to watch: members that are gone are missed soon, and a group does not wait for the second to come.
OF_A_DEMO = {"group.initial.rebalance.delay.ms": 200, "offsets.topic.num.partitions": 4}
# min.insync.replicas 2 of 3: one broker may be away.
OF_A_CLUSTER = {
    "default.replication.factor": 3, "min.insync.replicas": 2, "offsets.topic.replication.factor": 3,
    "zookeeper.session.timeout.ms": 3000, "replica.lag.time.max.ms": 3000,
}


def ottla(*words):
    """What a command of the program says; fails with its message."""
    done = subprocess.run([OTTLA, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, f"ottla {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}"
    return done.stdout


class Topics:
    """What is asked of one broker and of a cluster alike; `bootstrap` says where."""

    def create_topic(self, name, partitions=1, replication_factor=None, **configs):
        words = ["topic", "create", name, "--partitions", partitions, "--bootstrap", self.bootstrap]
        if replication_factor:
            words += ["--replication-factor", replication_factor]
        for key, value in configs.items():
            words += ["--config", f"{key.replace('_', '.')}={value}"]
        # A cluster that has just begun may not know all its brokers yet.
        return eventually(lambda: ottla(*words) or True, f"topic {name} is there", 30)

    def describe_topic(self, name):
        return json.loads(ottla("topic", "describe", name, "-o", "json", "--bootstrap", self.bootstrap))


class Broker(Topics, Running):
    """A broker with a port and a folder that stay its own over restarts."""

    def __init__(self, folder, name="broker", settings=None):
        self.port = free_ports(1)[0]
        folder = pathlib.Path(folder)
        command = [OTTLA, "serve", "--data-dir", folder / "data", "--listen", f"127.0.0.1:{self.port}"]
        for key, value in {**OF_A_DEMO, **(settings or {})}.items():
            command += ["--set", f"{key}={value}"]
        super().__init__(name, folder, command)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"


class ZooKeeper(Running):
    """One server of Debian's package."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        assert ZOOKEEPER.exists(), "ZooKeeper is missing: apt-get install zookeeper (or ZOOKEEPER_HOME=...)"
        self.port = free_ports(1)[0]
        configuration = folder / "zoo.cfg"
        environment = {
            **os.environ, "JVMFLAGS": "-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1", "JMXDISABLE": "true",
            "ZOO_LOG_DIR": str(folder), "ZOO_LOG4J_PROP": "WARN,CONSOLE",
        }
        super().__init__("zookeeper", folder, [ZOOKEEPER, "start-foreground", configuration], environment)
        configuration.write_text("\n".join([
            f"dataDir={folder / 'data'}", f"clientPort={self.port}", "clientPortAddress=127.0.0.1",
            "admin.enableServer=false", "tickTime=500", "initLimit=20", "syncLimit=10", "minSessionTimeout=1000",
            "4lw.commands.whitelist=ruok,srvr",
        ]) + "\n")

    @property
    def connect(self):
        return f"127.0.0.1:{self.port}/ottla"

    def _is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"srvr")
                return b"Mode:" in connection.recv(4096)
        except OSError:
            return False

    def is_good_end(self, status):
        # Java ends so at SIGTERM.
        return status in (0, 143)


class Cluster(Topics):
    """A ZooKeeper and three brokers."""

    def __init__(self, folder, count=3):
        folder = pathlib.Path(folder)
        self.zookeeper = ZooKeeper(folder / "zookeeper")
        self.brokers = [
            Broker(folder / f"broker-{number}", f"broker-{number}", {
                **OF_A_CLUSTER, "node.id": number, "zookeeper.connect": self.zookeeper.connect,
            }) for number in range(1, count + 1)
        ]

    @property
    def bootstrap(self):
        return ",".join(broker.bootstrap for broker in self.brokers)

    @property
    def parts(self):
        return [self.zookeeper, *self.brokers]

    def start(self):
        self.zookeeper.start()
        for broker in self.brokers:
            broker.start()
        eventually(
            lambda: len(json.loads(ottla("cluster", "status", "-o", "json", "--bootstrap", self.bootstrap))["brokers"])
            == len(self.brokers), "all brokers have joined", 60)
        return self

    def leader(self, topic, partition=0):
        """The broker that leads a partition, or None."""
        number = self.describe_topic(topic)["partitions"][partition]["leader"]
        return self.brokers[number - 1] if number and number > 0 else None
