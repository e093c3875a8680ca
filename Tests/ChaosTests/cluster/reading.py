"""A consumer in a process of its own, which notes what it reads, owns and commits.

Usage: reading.py NAME BOOTSTRAP HISTORY TOPIC PARTITIONS GROUP SETTINGS
With GROUP "-" it reads every partition from the beginning, and belongs to no group. SIGTERM ends it.
"""

import json
import signal
import sys
import time

import confluent_kafka
from confluent_kafka import TopicPartition

from history import Recorder

SETTINGS = {
    "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 8000, "heartbeat.interval.ms": 1000,
    "max.poll.interval.ms": 30_000, "socket.timeout.ms": 10_000, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 1000,
    "fetch.wait.max.ms": 200, "topic.metadata.refresh.interval.ms": 10_000, "check.crcs": True, "log_level": 0,
    "partition.assignment.strategy": "range",
}
COMMIT_SECONDS = 0.5
NOTED_MAX = 200


def key_of(partition):
    return f"{partition.topic}-{partition.partition}"


class Reading:
    def __init__(self, name, bootstrap, history, topic, partitions, group, settings):
        self.recorder = Recorder(history, name)
        self.topic, self.partitions = topic, partitions
        self.group = None if group == "-" else group
        self.consumer = confluent_kafka.Consumer(
            {**SETTINGS, **settings, "bootstrap.servers": bootstrap, "client.id": name, "group.id": self.group or f"none-{name}"}
        )
        # Read and not noted; noted and not committed.
        self.pending, self.pending_count, self.positions = {}, 0, {}
        self.tally = {"read": 0, "commits": 0, "rebalances": 0, "errors": {}}

    def begin(self):
        if self.group is None:
            places = [TopicPartition(self.topic, number, 0) for number in range(self.partitions)]
            self.recorder.note("assign", group=None, keys=[key_of(place) for place in places])
            self.consumer.assign(places)
        else:
            self.consumer.subscribe([self.topic], on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.lost)

    def assigned(self, consumer, places):
        self.tally["rebalances"] += 1
        self.note_polls()
        self.positions = {}
        if places:
            self.recorder.note("assign", group=self.group, keys=[key_of(place) for place in places])

    def revoked(self, consumer, places):
        self.gone("revoke", places)

    def lost(self, consumer, places):
        self.gone("lost", places)

    def gone(self, how, places):
        self.note_polls()
        self.positions = {}
        if places:
            self.recorder.note(how, group=self.group, keys=[key_of(place) for place in places])

    def take(self, message):
        if message.error() is not None:
            name = message.error().name()
            self.tally["errors"][name] = self.tally["errors"].get(name, 0) + 1
            return
        value = message.value().split(b" ", 1)[0].decode()
        place = TopicPartition(message.topic(), message.partition())
        self.pending.setdefault(key_of(place), (place, []))[1].append([message.offset(), value])
        self.pending_count += 1

    def note_polls(self):
        """What was read is noted before anything else is done: before it is committed, and before the partition is somebody
        else's. Callbacks run within `poll`, so that one message at a time leaves no doubt what came first."""
        for key, (place, records) in self.pending.items():
            self.recorder.note("poll", group=self.group, key=key, records=records)
            self.positions[key] = place, records[-1][0] + 1
            self.tally["read"] += len(records)
        self.pending, self.pending_count = {}, 0

    def commit(self):
        places, self.positions = self.positions, {}
        for key, (_, offset) in places.items():
            self.recorder.note("commit", "invoke", group=self.group, key=key, offset=offset)
        offsets = [TopicPartition(place.topic, place.partition, offset) for place, offset in places.values()]
        try:
            answers = {key_of(answer): answer.error for answer in self.consumer.commit(offsets=offsets, asynchronous=False)}
        except confluent_kafka.KafkaException as exception:
            answers = dict.fromkeys(places, exception.args[0])
        for key, (_, offset) in places.items():
            error = answers.get(key)
            if error is None:
                self.recorder.note("commit", "ok", group=self.group, key=key, offset=offset)
                self.tally["commits"] += 1
            else:
                # Even an error that sounds definite may follow an attempt that was written.
                self.recorder.note("commit", "info", group=self.group, key=key, offset=offset, error=error.name())

    def run(self, stopping):
        self.begin()
        committed_at = time.monotonic()
        while not stopping:
            message = self.consumer.poll(0.1)
            if message is not None:
                self.take(message)
            if message is None or self.pending_count >= NOTED_MAX:
                self.note_polls()
            if self.group and (self.positions or self.pending) and time.monotonic() - committed_at > COMMIT_SECONDS:
                self.note_polls()
                self.commit()
                committed_at = time.monotonic()
        self.note_polls()
        if self.group and self.positions:
            self.commit()
        self.consumer.close()
        self.recorder.note("crash")
        print(json.dumps(self.tally), flush=True)


def main():
    name, bootstrap, history, topic, partitions, group, settings = sys.argv[1:]
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    reading = Reading(name, bootstrap, history, topic, int(partitions), group, json.loads(settings))
    print("started", flush=True)
    reading.run(stopping)


if __name__ == "__main__":
    main()
