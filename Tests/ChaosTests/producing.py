"""A producer in a process of its own. It notes what was acknowledged, and when it is told to stop it says how it went.

Usage: producing.py NAME TOPIC PARTITIONS NOTES SETTINGS
SETTINGS are librdkafka's, as JSON; with "per.second" for how many records a second it sends.
Values are "NAME NUMBER padding"; the numbers of a partition grow. A line of NOTES is "partition offset number", written when
the acknowledgement is there and not before; the offset is -1 where the broker knew the record as a duplicate and no more. SIGTERM ends it: it sends what it has, prints "acknowledged failed left" and the
first error.
"""

import json
import signal
import sys
import time

import confluent_kafka

FLUSH_SECONDS_MAX = 60


def value_of(name, number):
    """What the record `number` of producer `name` holds: its size varies, so that batches do."""
    return b"%s %d " % (name.encode(), number) + b"x" * (number * 7919 % 400)


def main():
    name, topic, partition_count, notes_path, settings = sys.argv[1:]
    settings = json.loads(settings)
    rate = settings.pop("per.second")
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    notes = open(notes_path, "w", buffering=1)
    tally = {"acknowledged": 0, "failed": 0}
    first_error = []

    def delivered(number):
        def note(error, message):
            if error is None:
                tally["acknowledged"] += 1
                offset = message.offset()
                notes.write(f"{message.partition()} {-1 if offset is None else offset} {number}\n")
            else:
                tally["failed"] += 1
                if not first_error:
                    first_error.append(str(error))

        return note

    producer = confluent_kafka.Producer(
        {
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 100,
            "retry.backoff.ms": 20,
            "retry.backoff.max.ms": 100,
            "message.timeout.ms": 300_000,
            # No batch is larger than the segments of the tests.
            "batch.size": 100_000,
            "log_level": 0,
            **settings,
        }
    )
    print("started", flush=True)
    started = time.monotonic()
    number = 0
    while not stopping:
        try:
            producer.produce(
                topic, value_of(name, number), partition=number % int(partition_count), on_delivery=delivered(number)
            )
        except BufferError:
            producer.poll(0.05)
            continue
        number += 1
        producer.poll(0)
        ahead = number / rate - (time.monotonic() - started)
        if ahead > 0.01:
            producer.poll(ahead)
        elif ahead < -1:
            # The broker was away; no flood afterwards.
            started -= ahead
    left = producer.flush(FLUSH_SECONDS_MAX)
    notes.close()
    print(tally["acknowledged"], tally["failed"], left, *first_error, flush=True)


if __name__ == "__main__":
    main()
