"""Asks again and again what must only grow: the ends of partitions, and what a group has committed.

Usage: asking.py NAME BOOTSTRAP HISTORY TOPIC PARTITIONS GROUP
SIGTERM ends it.
"""

import json
import signal
import sys
import time

import confluent_kafka
from confluent_kafka import TopicPartition

from history import Recorder

ROUND_SECONDS = 1.0
ANSWER_SECONDS_MAX = 5


def main():
    name, bootstrap, history, topic, partitions, group = sys.argv[1:]
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    recorder = Recorder(history, name)
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap, "client.id": name, "group.id": group, "enable.auto.commit": False, "log_level": 0,
            "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 1000, "socket.timeout.ms": 5000,
        }
    )
    print("started", flush=True)
    places = [TopicPartition(topic, number) for number in range(int(partitions))]
    tally = {"ends": 0, "offsets": 0, "unanswered": 0}
    while not stopping:
        for place in places:
            key = f"{place.topic}-{place.partition}"
            recorder.note("end", "invoke", key=key)
            try:
                _, end = consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS_MAX)
                recorder.note("end", "ok", key=key, offset=end)
                tally["ends"] += 1
            except confluent_kafka.KafkaException as exception:
                recorder.note("end", "info", key=key, error=exception.args[0].name())
                tally["unanswered"] += 1
        for place in places:
            recorder.note("committed", "invoke", group=group, key=f"{place.topic}-{place.partition}")
        try:
            answers = consumer.committed(places, timeout=ANSWER_SECONDS_MAX)
        except confluent_kafka.KafkaException:
            answers, tally["unanswered"] = [], tally["unanswered"] + 1
        for answer in answers:
            key = f"{answer.topic}-{answer.partition}"
            if answer.error is None:
                recorder.note("committed", "ok", group=group, key=key, offset=max(-1, answer.offset))
                tally["offsets"] += 1
        time.sleep(ROUND_SECONDS)
    consumer.close()
    print(json.dumps(tally), flush=True)


if __name__ == "__main__":
    main()
