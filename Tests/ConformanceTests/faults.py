"""A cluster for the tests of clients, one broker of which is always about to be killed, or dead, or catching up."""

import random
import statistics
import threading
import time

import aiokafka.errors
import confluent_kafka
import kafka.errors

from clients import KcatFailed
from cluster import Cluster
from wire import Closed, Connection

# What a client may need more than on a quiet node: a session (3 s) and a tick of ZooKeeper until others lead, and then its own way of
# finding out. kafka-python waits up to 30 s before it tries a dead broker again.
MORE_SECONDS = 60
WHOLE_SECONDS_MAX = 60
DOWN_SECONDS = (0, 1, 4)  # back before its session is over, about then, and when others lead
QUIET_SECONDS = (1, 3)
# How far into a test its first kill comes.
DELAY_SECONDS = (0, 0.02, 0.1, 0.5)
SETTINGS = {"auto.create.topics.enable": "true"}


class Nemesis(threading.Thread):
    """Kills one broker after the other with SIGKILL and starts it again, never more than one at a time.

    It waits until every replica is in sync before the next one. The cluster's processes are its own: they die with the thread that
    launched them. A broker that ends by itself, or a cluster that does not get whole, is the `failure` that every test is told of.
    """

    def __init__(self, cluster, seed):
        super().__init__(name="nemesis")
        self.cluster, self.seed = cluster, seed
        self.chance = random.Random(seed)
        self.failure = None
        self.statuses = None
        self.events = []  # (time, sentence)
        self.seconds_to_whole = []
        self.killed = {broker.number: 0 for broker in cluster.brokers}
        self._changed = threading.Condition()
        # Can become: starting -> quiet -> harming -> quiet ... -> ended.
        self._state, self._next_at, self._is_ending = "starting", None, False

    def run(self):
        try:
            self.cluster.start()
            while self._rest():
                self._harm()
            self.cluster.wait_until_whole(WHOLE_SECONDS_MAX)
            self.statuses = self.cluster.stop()
        except BaseException as error:  # a thread has nobody above it
            self.failure = error
            self.note(f"gives up: {error}")
        finally:
            self.cluster.put_away()
            self._become("ended")

    def note(self, sentence):
        self.events.append((time.monotonic(), sentence))

    def _become(self, state):
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _rest(self):
        """Quiet until it is time for harm; false when there is to be no more."""
        with self._changed:
            self._next_at = time.monotonic() + self.chance.uniform(*QUIET_SECONDS)
            self._state = "quiet"
            self._changed.notify_all()
            while not self._is_ending and (left := self._next_at - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._is_ending

    def _harm(self):
        self._become("harming")
        for broker in self.cluster.brokers:
            assert not broker.has_ended_by_itself, f"{broker} ended with {broker.process.returncode}\n{broker.log_end()}"
        # Whoever had the fewest turns, so that every one has its own.
        fewest = min(self.killed.values())
        victim = self.cluster.broker(self.chance.choice([number for number, turns in self.killed.items() if turns == fewest]))
        self.killed[victim.number] += 1
        led = {_place(each): each.leader_epoch for each in self.cluster.metadata().partitions if each.leader == victim.number}
        down = self.chance.choice(DOWN_SECONDS)
        self.note(f"{victim} is killed, for {down} s")
        victim.kill()
        began = time.monotonic()
        time.sleep(down)
        victim.start()
        self.note(f"{victim} is back")
        # One that is back at once is in every isr as the run before, until the controller knows of this one.
        self.cluster.wait_for(
            lambda seen: all(led.get(_place(each), -1) < each.leader_epoch for each in seen.partitions),
            f"what {victim} led is led in new terms", seconds=WHOLE_SECONDS_MAX,
        )
        self.cluster.wait_until_whole(WHOLE_SECONDS_MAX)
        self.seconds_to_whole.append(time.monotonic() - began)
        self.note("all in sync")

    def wait_until_quiet(self, seconds=WHOLE_SECONDS_MAX + 30):
        with self._changed:
            self._changed.wait_for(lambda: self._state in ("quiet", "ended"), seconds)
        if self.failure is not None:
            raise AssertionError(f"the cluster with faults (seed {self.seed}): {self.failure}")
        assert self._state == "quiet", f"the nemesis is {self._state}"

    def strike_in(self, seconds):
        with self._changed:
            self._next_at = min(self._next_at, time.monotonic() + seconds)
            self._changed.notify_all()

    def end(self):
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self.join()
        if self.failure is not None:
            raise self.failure
        assert self.statuses == [0] * len(self.cluster.brokers), f"how the brokers ended: {self.statuses}\n{self.cluster.logs_end()}"

    def figures(self):
        turns = ", ".join(f"broker {number} {turns} times" for number, turns in self.killed.items())
        seconds = self.seconds_to_whole or [0]
        return (
            f"killed and restarted (seed {self.seed}): {turns}; all in sync again after {statistics.median(seconds):.1f} s in the "
            f"median, {max(seconds):.1f} s at most"
        )


def _place(partition):
    return partition.topic, partition.number


class ShakenCluster:
    """What the fixture `broker` is with --cluster-with-faults. Its face is that of `Broker`, as far as tests of clients need it."""

    is_shaken, replicas, min_insync_replicas = True, 3, 2

    def __init__(self, folder, seed):
        self.cluster = Cluster(folder, settings=SETTINGS)
        self.nemesis = Nemesis(self.cluster, seed)
        self._chance = random.Random(seed)
        self._began = 0

    def start(self):
        self.nemesis.start()
        self.nemesis.wait_until_quiet()
        return self

    def stop(self):
        self.nemesis.end()

    @property
    def address(self):
        return self.cluster.bootstrap

    @property
    def ports(self):
        return [broker.port for broker in self.cluster.brokers]

    def check_alive(self):
        assert self.nemesis.failure is None, self.nemesis.failure

    def begin_test(self):
        """Whole, and harm comes in a moment."""
        self.nemesis.wait_until_quiet()
        self._began = time.monotonic()
        self.nemesis.strike_in(self._chance.choice(DELAY_SECONDS))

    def story(self):
        """What was done to the cluster since the test began."""
        lines = [f"{at - self._began:8.2f} s  {what}" for at, what in self.nemesis.events if at >= self._began]
        return "\n".join(lines + [f"logs are in {self.cluster.folder}"])

    # The same questions as `Broker` takes, asked until they have an answer.

    def seconds(self, quiet):
        return quiet + MORE_SECONDS

    def asked(self, question, topic=None, partition=0, group=None):
        """`question(connection)`, put to the leader, the coordinator, or any broker; again while the wrong one or none answers."""

        def ask():
            if group is not None:
                broker = self.cluster.coordinator(group)
            else:
                broker = self._leader(topic, partition) if topic is not None else self.cluster.able[0]
            with Connection(broker, timeout=10) as connection:
                return question(connection)

        return self._again(ask, lambda error: isinstance(error, (OSError, Closed, AssertionError, KeyError, IndexError)))

    def asked_of_all(self, question):
        """`question(connection)`, put to every broker that runs until it has answered."""
        for broker in self.cluster.brokers:

            def ask(broker=broker):
                if broker in self.cluster.able:
                    with Connection(broker, timeout=10) as connection:
                        question(connection)

            self._again(ask, lambda error: isinstance(error, (OSError, Closed, AssertionError)))

    def _leader(self, topic, partition):
        number = self.cluster.metadata([topic]).of(topic)[partition].leader
        assert number > 0, f"{topic}-{partition} has no leader"
        return self.cluster.broker(number)

    def patiently(self, call):
        """`call()`, again while the client hands on an error that passes."""
        return self._again(call, passes)

    def expect(self, question, expected):
        """That `question()` comes to be answered with `expected`."""
        found = None

        def ask():
            nonlocal found
            found = question()
            assert found == expected
            return found

        return self._again(ask, lambda error: passes(error) or isinstance(error, (AssertionError, KeyError)))

    def _again(self, call, may_pass):
        deadline = time.monotonic() + self.seconds(10)
        while True:
            try:
                return call()
            except Exception as error:
                if not may_pass(error) or time.monotonic() > deadline or self.nemesis.failure is not None:
                    raise
            time.sleep(0.1)

    def create_topic(self, topic, partitions=1, configs=None):
        """Its name is new: that it is there already says that an earlier attempt has made it. Waits until every broker knows it."""

        def create(connection):
            try:
                connection.create_topic(topic, partitions, configs, self.replicas)
            except AssertionError:
                assert connection.metadata([topic])[topic][::2] == (0, partitions)

        def known(connection):
            assert connection.metadata([topic])[topic][::2] == (0, partitions)

        self.asked(create)
        self.asked_of_all(known)


# librdkafka hands the errors of admin calls, offset queries and commits to the program, to try again: it repeats only produce and fetch
# requests by itself. These are those that a broker that goes, or a new leader, coordinator or controller, gives.
_PASSING = {
    confluent_kafka.KafkaError._TRANSPORT, confluent_kafka.KafkaError._TIMED_OUT, confluent_kafka.KafkaError._ALL_BROKERS_DOWN,
    confluent_kafka.KafkaError._WAIT_COORD, confluent_kafka.KafkaError._TIMED_OUT_QUEUE, confluent_kafka.KafkaError.REQUEST_TIMED_OUT,
    confluent_kafka.KafkaError.NETWORK_EXCEPTION, confluent_kafka.KafkaError.LEADER_NOT_AVAILABLE,
    confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION, confluent_kafka.KafkaError.COORDINATOR_NOT_AVAILABLE,
    confluent_kafka.KafkaError.COORDINATOR_LOAD_IN_PROGRESS, confluent_kafka.KafkaError.NOT_COORDINATOR,
    confluent_kafka.KafkaError.NOT_CONTROLLER, confluent_kafka.KafkaError.BROKER_NOT_AVAILABLE,
    confluent_kafka.KafkaError.NOT_ENOUGH_REPLICAS,
    # There are only two brokers to put three replicas on.
    confluent_kafka.KafkaError.INVALID_REPLICATION_FACTOR,
}
_PASSING_IN_PYTHON = (
    aiokafka.errors.KafkaConnectionError, aiokafka.errors.KafkaTimeoutError, aiokafka.errors.RequestTimedOutError,
    aiokafka.errors.NodeNotReadyError, aiokafka.errors.NoBrokersAvailable,
)


_PASSING_IN_KCAT = ("Not leader for partition", "Leader not available", "Broker transport failure", "Timed out", "Coordinator")


def passes(error):
    """Whether a client's error is one of those that go away with the fault."""
    if isinstance(error, confluent_kafka.KafkaException):
        return error.args[0].code() in _PASSING or error.args[0].retriable()
    if isinstance(error, KcatFailed):
        return any(name in str(error) for name in _PASSING_IN_KCAT)
    if isinstance(error, _PASSING_IN_PYTHON) or getattr(error, "errno", None) in _PASSING:
        return True
    return isinstance(error, (kafka.errors.KafkaError, aiokafka.errors.KafkaError)) and bool(error.retriable)
