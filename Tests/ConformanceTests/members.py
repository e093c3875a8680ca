"""Members of consumer groups: real clients, each polling on a thread of its own and committing what it was given.

Where brokers are killed meanwhile a commit may fail, and what it was for may be read again, by this member or another: a group
promises that every record is read at least once.
"""

import asyncio
import threading
import time

import aiokafka
import confluent_kafka
import kafka
import kafka.errors

from clients import after_error, aiokafka_consumer, stop_aiokafka
from faults import passes

SETTLE_SECONDS_MAX = 30


class Member:
    """Polls until it is told to leave; commits after every poll that brought records, before it polls again."""

    def __init__(self, broker, group, topic, **options):
        self.broker = broker
        self._owes_a_commit = False
        self.seen = []  # (partition, offset, value), in the order in which they came
        self.assignment = set()
        self.failure = None
        self.assignments_seen = 0
        self._leaving = threading.Event()
        self._closes = True
        self._open(broker, group, topic, options)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            while not self._leaving.is_set():
                self._poll()
                if self.failure:
                    break
        except Exception as error:  # a thread has nobody above it
            self.failure = error
        finally:
            try:
                self._close()
            except Exception as error:
                self.failure = self.failure or error

    def _must_commit(self, has_records):
        self._owes_a_commit = self._owes_a_commit or has_records
        return self._owes_a_commit

    def _commit_failed(self, error):
        """The next poll tries again. On a node that nothing happens to no commit may fail, but those of cooperative members.

        These go on reading while the group takes its next generation, and a commit that was sent in the one before, and comes after all
        have joined, is refused with ILLEGAL_GENERATION by Kafka too.
        """
        if getattr(self, "_cooperative", False) and _tells_of_a_rebalance(error):
            return
        if not self.broker.is_shaken or not (passes(error) or _tells_of_a_rebalance(error)):
            raise error

    def leave(self):
        self._leaving.set()
        self._thread.join(self.broker.seconds(SETTLE_SECONDS_MAX))
        assert not self._thread.is_alive(), "the member does not end"
        if self.failure:
            raise self.failure


class KafkaPythonMember(Member):
    name = "kafka-python"

    def _open(self, broker, group, topic, options):
        if broker.is_shaken:
            # By default kafka-python 3.0.12 leaves a broker that was dead alone for up to 30 s, longer after each failure: where the
            # coordinator is killed every few seconds it was seen out of its group for 90 s, marking the coordinator dead in a loop.
            options = {"reconnect_backoff_max_ms": 500, **options}
        self._consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest",
            enable_auto_commit=False, heartbeat_interval_ms=300, **{"session_timeout_ms": 10_000, **options},
        )

    def _poll(self):
        # Not shorter: kafka-python 3.0.12 may forget to send heartbeats when a poll ends while its leader's join goes on.
        try:
            batches = self._consumer.poll(timeout_ms=1000)
        except kafka.errors.KafkaError as error:
            # kafka-python 3.0.12 lets it out where it looks for a coordinator and the broker that it asks for metadata is dead
            # (`ensure_coordinator_ready_async` in coordinator/base.py awaits the refresh); the next poll asks another one.
            if self.broker.is_shaken and passes(error):
                return
            raise
        self.assignment = {place.partition for place in self._consumer.assignment()}
        for place, records in batches.items():
            self.seen += [(place.partition, record.offset, record.value) for record in records]
        if self._must_commit(bool(batches)):
            try:
                self._consumer.commit()
                self._owes_a_commit = False
            except kafka.errors.KafkaError as error:
                self._commit_failed(error)

    def _close(self):
        self._consumer.close()


class AioKafkaMember(Member):
    name = "aiokafka"

    def _open(self, broker, group, topic, options):
        self._loop = asyncio.new_event_loop()

        async def start():
            self._consumer = aiokafka_consumer(
                broker, topic, group_id=group, auto_offset_reset="earliest",
                enable_auto_commit=False, heartbeat_interval_ms=300, **{"session_timeout_ms": 10_000, **options},
            )
            await self._consumer.start()

        # Started on the member's own thread: starting waits for the group, and so for the other members.
        self._start = start
        self._started = False

    def _poll(self):
        async def poll():
            if not self._started:
                await self._start()
                self._started = True
            batches = await self._consumer.getmany(timeout_ms=100)
            self.assignment = {place.partition for place in self._consumer.assignment()}
            for place, records in batches.items():
                self.seen += [(place.partition, record.offset, record.value) for record in records]
            if self._must_commit(bool(batches)):
                try:
                    await self._consumer.commit()
                    self._owes_a_commit = False
                except aiokafka.errors.KafkaError as error:
                    self._commit_failed(error)

        self._loop.run_until_complete(poll())

    def _close(self):
        if self._started:
            self._loop.run_until_complete(stop_aiokafka(self._consumer))
        self._loop.close()


class ConfluentMember(Member):
    name = "confluent-kafka"

    def _open(self, broker, group, topic, options):
        self._cooperative = options.get("partition_assignment_strategy") == "cooperative-sticky"
        self.revoked = []
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": broker.address, "group.id": group, "auto.offset.reset": "earliest",
                "enable.auto.commit": False, "heartbeat.interval.ms": 300, "session.timeout.ms": 10_000,
                **{name.replace("_", "."): value for name, value in options.items()},
            }
        )
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked)

    def _assigned(self, consumer, partitions):
        self.assignments_seen += 1
        self.assignment = (self.assignment if self._cooperative else set()) | {place.partition for place in partitions}

    def _revoked(self, consumer, partitions):
        gone = {place.partition for place in partitions}
        self.revoked.append(gone)
        self.assignment = self.assignment - gone

    def _poll(self):
        messages = self._consumer.consume(500, 0.1)
        for message in messages:
            if message.error():
                failure = confluent_kafka.KafkaException(message.error())
                if self.broker.is_shaken and passes(failure):
                    after_error(self._consumer, message.error(), self._cooperative)
                    continue
                raise failure
            self.seen.append((message.partition(), message.offset(), message.value()))
        if self._must_commit(bool(messages)):
            try:
                self._consumer.commit(asynchronous=False)
                self._owes_a_commit = False
            except confluent_kafka.KafkaException as error:
                self._commit_failed(error)

    def _close(self):
        self._consumer.close()


MEMBERS = [KafkaPythonMember, AioKafkaMember, ConfluentMember]


def _tells_of_a_rebalance(error):
    """What a commit gets whose partitions are being given to others, or were: they read on from the commit before."""
    if isinstance(error, confluent_kafka.KafkaException):
        return error.args[0].code() in _OF_A_REBALANCE
    return isinstance(error, (kafka.errors.CommitFailedError, aiokafka.errors.CommitFailedError))


_OF_A_REBALANCE = {
    confluent_kafka.KafkaError._NO_OFFSET, confluent_kafka.KafkaError._ASSIGNMENT_LOST,
    confluent_kafka.KafkaError.ILLEGAL_GENERATION, confluent_kafka.KafkaError.UNKNOWN_MEMBER_ID,
    confluent_kafka.KafkaError.REBALANCE_IN_PROGRESS,
}


def settle(members, partitions):
    """Waits until the members share the partitions out among them as evenly as can be."""
    low, rest = divmod(partitions, len(members))
    sizes = sorted([low + 1] * rest + [low] * (len(members) - rest))
    deadline = time.monotonic() + members[0].broker.seconds(SETTLE_SECONDS_MAX)
    while time.monotonic() < deadline:
        shares = [set(member.assignment) for member in members]
        if sorted(map(len, shares)) == sizes and set().union(*shares) == set(range(partitions)):
            return
        _raise_failures(members)
        time.sleep(0.02)
    raise AssertionError(f"the group does not settle: {[sorted(member.assignment) for member in members]}")


def wait_for(members, count):
    """Waits until the members have seen `count` records in all, and a little longer for what would be too much."""
    deadline = time.monotonic() + members[0].broker.seconds(SETTLE_SECONDS_MAX)
    while time.monotonic() < deadline and sum(len(member.seen) for member in members) < count:
        _raise_failures(members)
        time.sleep(0.02)
    time.sleep(0.3)
    return sorted(record for member in members for record in member.seen)


def expect_seen(members, expected, older=()):
    """That the members see these records once each; where brokers are killed at least once each, and of `older` ones some again."""
    if not members[0].broker.is_shaken:
        assert wait_for(members, len(expected)) == expected
        return
    deadline = time.monotonic() + members[0].broker.seconds(SETTLE_SECONDS_MAX)
    while missing := set(expected) - (seen := {record for member in members for record in list(member.seen)}):
        _raise_failures(members)
        assert time.monotonic() < deadline, f"{len(missing)} records are not read, as {sorted(missing)[:5]}"
        time.sleep(0.05)
    assert seen <= set(expected) | set(older)


def _raise_failures(members):
    for member in members:
        if member.failure:
            raise member.failure
