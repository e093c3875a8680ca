"""A cluster in processes of its own: a real ZooKeeper and some brokers, on loopback or in places of their own."""

import contextlib
import pathlib
import shutil

import wire
from broker import PROGRAM
from processes import Place, Process, free_ports, wait_until
from wire import Closed, Connection, R, W
from zookeeper import ZooKeeper

START_SECONDS_MAX = 60
WHOLE_SECONDS_MAX = 60

# Quick enough for tests: a broker that is gone is missed after this.
OF_A_CLUSTER = {
    # A start waits for ZooKeeper as long as tests take it away.
    "zookeeper.session.timeout.ms": 3000, "zookeeper.connection.timeout.ms": 120_000, "replica.lag.time.max.ms": 3000,
    "default.replication.factor": 3, "min.insync.replicas": 2, "offsets.topic.replication.factor": 3,
}


class Partition:
    """One partition as Metadata tells of it."""

    def __init__(self, topic, number, error, leader, leader_epoch, replicas, isr, offline):
        self.topic, self.number, self.error, self.leader, self.leader_epoch = topic, number, error, leader, leader_epoch
        self.replicas, self.isr, self.offline = replicas, isr, offline

    @property
    def is_whole(self):
        return self.leader >= 0 and sorted(self.isr) == sorted(self.replicas)

    def __repr__(self):
        return f"{self.topic}-{self.number}: leader {self.leader} of {self.replicas}, in sync {self.isr}"


class Metadata:
    """What one broker knows of the cluster."""

    def __init__(self, brokers, cluster_id, controller, partitions):
        self.brokers, self.cluster_id, self.controller, self.partitions = brokers, cluster_id, controller, partitions

    def of(self, topic):
        return {each.number: each for each in self.partitions if each.topic == topic}

    def __repr__(self):
        torn = [each for each in self.partitions if not each.is_whole]
        return f"brokers {sorted(self.brokers)}, controller {self.controller}, {len(self.partitions)} partitions, not whole: {torn}"


def read_metadata(broker, topics=None):
    """Metadata v10 of all topics, or of those named."""
    body = W()
    if topics is None:
        body.uvarint(0)
    else:
        body.uvarint(len(topics) + 1)
        for topic in topics:
            body.raw(bytes(16)).compact_string(topic).tags()
    with Connection(broker, timeout=5) as connection:
        reader = connection.ask(wire.METADATA, 10, body.i8(0).i8(0).i8(0).tags().bytes, flexible=True)
    reader.i32()
    brokers = {}

    def broker_entry(r):
        number, host, port, _, _ = r.i32(), r.compact_string(), r.i32(), r.compact_string(), r.tags()
        brokers[number] = (host, port)

    reader.compact_array(broker_entry)
    cluster_id, controller = reader.compact_string(), reader.i32()
    partitions = []
    for _ in range(reader.uvarint() - 1):
        _, topic, _, _ = reader.i16(), reader.compact_string(), reader.uuid(), reader.i8()
        for _ in range(reader.uvarint() - 1):
            fields = [reader.i16(), reader.i32(), reader.i32(), reader.i32()]
            lists = [reader.compact_array(R.i32) for _ in range(3)]
            reader.tags()
            error, number, leader, leader_epoch = fields
            partitions.append(Partition(topic, number, error, leader, leader_epoch, *lists))
        reader.i32()
        reader.tags()
    return Metadata(brokers, cluster_id, controller, partitions)


class ClusterBroker(Process):
    """One broker of a cluster. Its port is chosen before it starts, so that it is the same in each life."""

    def __init__(self, number, folder, zookeeper, port, place=None, settings=None, data=None):
        super().__init__(f"broker-{number}", folder, place)
        self.number, self.port = number, port
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.settings = {
            "node.id": number, "offsets.topic.num.partitions": 4, "group.initial.rebalance.delay.ms": 0,
            "auto.create.topics.enable": "false", **(OF_A_CLUSTER if zookeeper else {}), **(settings or {}),
        }
        if zookeeper:
            self.settings["zookeeper.connect"] = zookeeper

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def command(self):
        command = [PROGRAM, "serve", "--listen", self.address, "--set", f"log.dirs={self.data}"]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        return command

    def start(self, wait=True):
        self.launch(self.command())
        if wait:
            self.wait_until_ready()
        return self

    @property
    def is_ready(self):
        return b"ready kafka=" in self.output.read_bytes()

    def wait_until_ready(self, seconds=START_SECONDS_MAX):
        def ready_or_ended():
            return self.is_ready or self.has_ended_by_itself

        wait_until(ready_or_ended, seconds, lambda: f"{self} is ready\n{self.log_end()}")
        if self.has_ended_by_itself:
            status = self.process.returncode
            self.forget()
            raise AssertionError(f"{self} ended with {status} at its start\n{self.log_end()}")

    def metadata(self, topics=None):
        return read_metadata(self, topics)

    def knows(self, count):
        """Whether it serves, and knows of `count` brokers."""
        return len(self.metadata([]).brokers) == count


class Cluster:
    """ZooKeeper, and brokers with the ids 1, 2, ...; with `zookeepers=0` one broker that is a cluster by itself."""

    def __init__(self, folder, brokers=3, zookeepers=1, settings=None, broker_places=None, zookeeper_places=None, data=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        assert zookeepers or brokers == 1, "brokers of one cluster need a ZooKeeper"
        self.zookeeper = ZooKeeper(self.folder, zookeepers, zookeeper_places)
        places = broker_places or [Place() for _ in range(brokers)]
        loopback = iter(free_ports(len(places)))
        self.brokers = [
            ClusterBroker(
                number, self.folder / f"broker-{number}", self.zookeeper.connect() if zookeepers else None,
                9092 if place.prefix else next(loopback), place, settings, data[number - 1] if data else None,
            )
            for number, place in enumerate(places, 1)
        ]

    def broker(self, number):
        return self.brokers[number - 1]

    @property
    def processes(self):
        return self.zookeeper.servers + self.brokers

    @property
    def bootstrap(self):
        return ",".join(broker.address for broker in self.brokers)

    # `address` and `run` as a single broker has them.
    address = bootstrap

    def start(self):
        self.zookeeper.start()
        for broker in self.brokers:
            broker.start(wait=False)
        for broker in self.brokers:
            broker.wait_until_ready()
        self.wait_until_known(len(self.brokers))
        return self

    @property
    def able(self):
        """Brokers that run and are not held still."""
        return [broker for broker in self.brokers if broker.is_running and not broker.is_paused]

    def metadata(self, topics=None):
        """What the first broker that answers knows."""
        failure = AssertionError("no broker runs")
        for broker in self.able:
            try:
                return broker.metadata(topics)
            except (OSError, Closed, AssertionError) as error:
                failure = error
        raise failure

    def wait_until_known(self, count, seconds=START_SECONDS_MAX):
        """Every broker that runs knows of `count` brokers and of a controller."""

        def known():
            return all(
                len(seen.brokers) == count and seen.controller >= 0
                for seen in (_answer(broker) for broker in self.able)
            )

        wait_until(known, seconds, lambda: f"{count} brokers know each other\n{self.logs_end()}")

    def wait_for(self, condition, what, topics=None, seconds=WHOLE_SECONDS_MAX):
        """Until `condition(metadata)` holds as one broker sees it; returns that metadata."""

        def holds():
            seen = self.metadata(topics)
            return seen if condition(seen) else None

        return wait_until(holds, seconds, lambda: f"{what}; {self.metadata(topics)!r}\n{self.logs_end()}")

    def wait_until_whole(self, seconds=WHOLE_SECONDS_MAX):
        """Every broker that runs sees every replica of every partition in sync, and all alike."""

        def whole():
            seen = [_answer(broker) for broker in self.able]
            if not all(len(each.brokers) == len(self.brokers) and each.controller >= 0 for each in seen):
                return False
            if not all(partition.is_whole for each in seen for partition in each.partitions):
                return False
            return len({_picture(each) for each in seen}) == 1

        wait_until(whole, seconds, lambda: f"the cluster is whole; {self.metadata()!r}")

    def create_topic(self, topic, partitions=1, replication=3, configs=None):
        """Makes a topic, and waits until every broker knows it."""
        with Connection(self.able[0]) as connection:
            connection.create_topic(topic, partitions, configs, replication)

        def known():
            return all(
                len(seen) == partitions and all(each.leader >= 0 for each in seen.values())
                for seen in (_answer(broker, [topic]).of(topic) for broker in self.able)
            )

        wait_until(known, 30, f"all brokers know topic {topic}")

    def controller(self):
        return self.broker(self.metadata([]).controller)

    def leader(self, topic, partition=0):
        return self.broker(self.metadata([topic]).of(topic)[partition].leader)

    def coordinator(self, group):
        """The broker that coordinates a group, as another one says."""
        with Connection(self.able[0], timeout=5) as connection:
            reader = connection.ask(wire.FIND_COORDINATOR, 1, W().string(group).i8(0).bytes)
        reader.i32()
        error = reader.i16()
        reader.string()
        assert error == 0, f"FindCoordinator: {error}"
        return self.broker(reader.i32())

    def logs_end(self, characters=1500):
        return "\n".join(f"--- {each}\n{each.log_end(characters)}" for each in self.brokers)

    def keep_logs(self, target):
        """Copies what the processes said to where it outlives them."""
        for each in self.processes:
            if each.log.exists():
                pathlib.Path(target).mkdir(parents=True, exist_ok=True)
                shutil.copy(each.log, pathlib.Path(target) / f"{each.name}.log")

    def stop(self):
        """All brokers in order, ZooKeeper last; returns how the brokers ended."""
        running = [broker for broker in self.brokers if broker.is_running]
        for broker in running:
            broker.ask_to_stop()
        statuses = [broker.wait_for_end() for broker in running]
        self.zookeeper.put_away()
        return statuses

    def put_away(self):
        for broker in self.brokers:
            broker.put_away()
        self.zookeeper.put_away()


def _answer(broker, topics=None):
    """Metadata; a connection that is closed is an error of the network like others."""
    try:
        return broker.metadata(topics)
    except Closed as error:
        raise ConnectionError(f"{broker} closed the connection") from error


def _picture(metadata):
    return tuple(
        sorted((each.topic, each.number, each.leader, each.leader_epoch, tuple(each.isr)) for each in metadata.partitions)
    )


@contextlib.contextmanager
def running_cluster(folder, keep_logs_in=None, **options):
    """A cluster for the length of a block; its logs are kept where the block fails."""
    cluster = Cluster(folder, **options)
    try:
        yield cluster.start()
    except BaseException:
        if keep_logs_in:
            cluster.keep_logs(keep_logs_in)
        raise
    finally:
        cluster.put_away()
