"""A real ZooKeeper, Debian's, alone or as an ensemble, for as long as a test needs it."""

import os
import pathlib
import socket

from processes import Place, Process, free_ports, wait_until

SCRIPT = pathlib.Path(os.environ.get("ZOOKEEPER_HOME", "/usr/share/zookeeper")) / "bin/zkServer.sh"
START_SECONDS_MAX = 60
TICK_MS = 500


def is_installed():
    return SCRIPT.exists()


class ZooKeeperServer(Process):
    """One server; `write_configuration` comes before the first `start`."""

    def __init__(self, number, folder, place, ports):
        super().__init__(f"zookeeper-{number}", folder, place)
        self.number = number
        self.client_port, self.peer_port, self.election_port = ports

    @property
    def address(self):
        return f"{self.host}:{self.client_port}"

    def write_configuration(self, servers):
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        (data / "myid").write_text(f"{self.number}\n")
        lines = [
            f"dataDir={data}", f"clientPort={self.client_port}", f"clientPortAddress={self.host}",
            "admin.enableServer=false", "4lw.commands.whitelist=ruok,srvr", f"tickTime={TICK_MS}", "initLimit=20",
            "syncLimit=10", "maxClientCnxns=0", "minSessionTimeout=1000", "maxSessionTimeout=60000",
            # Disks of a test are busy, and its servers few.
            "autopurge.purgeInterval=0", "snapCount=100000",
        ]
        if len(servers) > 1:
            lines += [f"server.{each.number}={each.host}:{each.peer_port}:{each.election_port}" for each in servers]
        self.configuration = self.folder / "zoo.cfg"
        self.configuration.write_text("\n".join(lines) + "\n")

    def start(self):
        environment = {
            **os.environ, "JVMFLAGS": "-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1", "JMXDISABLE": "true",
            "ZOO_LOG_DIR": str(self.folder), "ZOO_LOG4J_PROP": "WARN,CONSOLE",
        }
        self.launch([SCRIPT, "start-foreground", self.configuration], environment)

    def ask(self, word):
        """The answer to a four-letter word; empty where there is none."""
        try:
            with socket.create_connection((self.host, self.client_port), 1) as connection:
                connection.settimeout(2)
                connection.sendall(word.encode())
                answer = b""
                while piece := connection.recv(4096):
                    answer += piece
                return answer.decode(errors="replace")
        except OSError:
            return ""

    @property
    def mode(self):
        """"standalone", "leader", "follower", or None for one that serves nobody."""
        for line in self.ask("srvr").splitlines():
            if line.startswith("Mode: "):
                return line.removeprefix("Mode: ")
        return None


class ZooKeeper:
    """One server, or an ensemble of them."""

    def __init__(self, folder, count=1, places=None):
        places = [Place() for _ in range(count)] if places is None else places
        self.folder = pathlib.Path(folder)
        self.servers = []
        loopback = iter(free_ports(3 * count))
        for number, place in enumerate(places, 1):
            # In a place of its own a server has the ports that everybody knows.
            ports = (2181, 2888, 3888) if place.prefix else tuple(next(loopback) for _ in range(3))
            self.servers.append(ZooKeeperServer(number, self.folder / f"zookeeper-{number}", place, ports))
        for server in self.servers:
            server.write_configuration(self.servers)

    def connect(self, chroot="/ottla"):
        """What `zookeeper.connect` takes."""
        return ",".join(server.address for server in self.servers) + chroot

    def start(self):
        for server in self.servers:
            server.start()
        return self.wait_until_serving()

    def wait_until_serving(self, seconds=START_SECONDS_MAX):
        """All servers that run are in the ensemble."""
        for server in self.servers:
            if server.is_running and not server.is_paused:
                wait_until(lambda: server.mode, seconds, lambda: f"{server} serves\n{server.log_end()}")
        return self

    @property
    def leader(self):
        return next((server for server in self.servers if server.mode in ("leader", "standalone")), None)

    def has_quorum(self):
        return self.leader is not None

    def put_away(self):
        for server in self.servers:
            server.put_away()
