"""A member of a group in a process of its own. It notes what it saw, and what it committed.

Usage: consuming.py ADDRESS GROUP TOPIC NOTES
A line of NOTES is "seen partition offset value-checksum" or "committed partition offset", the latter written when the commit
was answered. SIGTERM ends it.
"""

import signal
import sys
import zlib

import confluent_kafka


def main():
    address, group, topic, notes_path = sys.argv[1:]
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": address, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "session.timeout.ms": 10_000, "heartbeat.interval.ms": 500, "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 100, "check.crcs": True, "log_level": 0,
        }
    )
    consumer.subscribe([topic])
    print("started", flush=True)
    with open(notes_path, "w", buffering=1) as notes:
        while not stopping:
            places = {}
            for message in consumer.consume(2000, 0.1):
                if message.error() is None:
                    notes.write(f"seen {message.partition()} {message.offset()} {zlib.crc32(message.value())}\n")
                    places[message.partition()] = message.offset() + 1
            if not places:
                continue
            offsets = [confluent_kafka.TopicPartition(topic, partition, offset) for partition, offset in places.items()]
            try:
                for answer in consumer.commit(offsets=offsets, asynchronous=False):
                    if answer.error is None:
                        notes.write(f"committed {answer.partition} {answer.offset}\n")
            except confluent_kafka.KafkaException:
                pass  # The broker was killed; the next commit says more.
    consumer.close()


if __name__ == "__main__":
    main()
