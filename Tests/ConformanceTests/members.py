"""Members of consumer groups: real clients, each polling on a thread of its own and committing what it was given."""

import asyncio
import threading
import time

import aiokafka
import confluent_kafka
import kafka

SETTLE_SECONDS_MAX = 30


class Member:
    """Polls until it is told to leave; commits after every poll that brought records, before it polls again."""

    def __init__(self, broker, group, topic, **options):
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

    def leave(self):
        self._leaving.set()
        self._thread.join(SETTLE_SECONDS_MAX)
        assert not self._thread.is_alive(), "the member does not end"
        if self.failure:
            raise self.failure


class KafkaPythonMember(Member):
    name = "kafka-python"

    def _open(self, broker, group, topic, options):
        self._consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest",
            enable_auto_commit=False, heartbeat_interval_ms=300, session_timeout_ms=10_000, **options,
        )

    def _poll(self):
        # Not shorter: kafka-python 3.0.12 may forget to send heartbeats when a poll ends while its leader's join goes on.
        batches = self._consumer.poll(timeout_ms=1000)
        self.assignment = {place.partition for place in self._consumer.assignment()}
        for place, records in batches.items():
            self.seen += [(place.partition, record.offset, record.value) for record in records]
        if batches:
            self._consumer.commit()

    def _close(self):
        self._consumer.close()


class AioKafkaMember(Member):
    name = "aiokafka"

    def _open(self, broker, group, topic, options):
        self._loop = asyncio.new_event_loop()

        async def start():
            self._consumer = aiokafka.AIOKafkaConsumer(
                topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest",
                enable_auto_commit=False, heartbeat_interval_ms=300, session_timeout_ms=10_000, **options,
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
            if batches:
                await self._consumer.commit()

        self._loop.run_until_complete(poll())

    def _close(self):
        if self._started:
            self._loop.run_until_complete(self._consumer.stop())
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
                raise confluent_kafka.KafkaException(message.error())
            self.seen.append((message.partition(), message.offset(), message.value()))
        if messages:
            self._consumer.commit(asynchronous=False)

    def _close(self):
        self._consumer.close()


MEMBERS = [KafkaPythonMember, AioKafkaMember, ConfluentMember]


def settle(members, partitions):
    """Waits until the members share the partitions out among them as evenly as can be."""
    low, rest = divmod(partitions, len(members))
    sizes = sorted([low + 1] * rest + [low] * (len(members) - rest))
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while time.monotonic() < deadline:
        shares = [set(member.assignment) for member in members]
        if sorted(map(len, shares)) == sizes and set().union(*shares) == set(range(partitions)):
            return
        for member in members:
            if member.failure:
                raise member.failure
        time.sleep(0.02)
    raise AssertionError(f"the group does not settle: {[sorted(member.assignment) for member in members]}")


def wait_for(members, count):
    """Waits until the members have seen `count` records in all, and a little longer for what would be too much."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while time.monotonic() < deadline and sum(len(member.seen) for member in members) < count:
        for member in members:
            if member.failure:
                raise member.failure
        time.sleep(0.02)
    time.sleep(0.3)
    return sorted(record for member in members for record in member.seen)
