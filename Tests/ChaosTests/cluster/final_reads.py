"""Reads every partition from its first offset to its end, when all has healed."""

import time

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from history import Recorder

SECONDS_MAX = 200


def read_all(name, bootstrap, history, topic, partitions):
    """Notes what there is; returns how many records, or raises where the ends are not reached in time."""
    recorder = Recorder(history, name)
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap, "client.id": name, "group.id": name, "enable.partition.eof": True, "check.crcs": True,
            "log_level": 0, "auto.offset.reset": "earliest", "enable.auto.commit": False,
        }
    )
    keys = [f"{topic}-{number}" for number in range(partitions)]
    try:
        recorder.note("assign", group=None, keys=keys)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
        ended, count, deadline = set(), 0, time.monotonic() + SECONDS_MAX
        while len(ended) < partitions:
            if time.monotonic() > deadline:
                raise AssertionError(f"the final reads do not end: {sorted(set(range(partitions)) - ended)} are left")
            runs = {}
            for message in consumer.consume(10_000, 0.5):
                if message.error() is None:
                    value = message.value().split(b" ", 1)[0].decode()
                    runs.setdefault(message.partition(), []).append([message.offset(), value])
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
            for number, records in sorted(runs.items()):
                recorder.note("poll", group=None, key=f"{topic}-{number}", records=records)
                count += len(records)
        recorder.note("final", keys=keys)
        return count
    finally:
        consumer.close()
        recorder.close()
