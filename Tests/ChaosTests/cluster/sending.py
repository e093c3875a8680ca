"""A producer in a process of its own, which notes what it sends and what becomes of each record.

Usage: sending.py NAME BOOTSTRAP HISTORY TOPIC PARTITIONS RATE SETTINGS
SETTINGS are librdkafka's, as JSON. SIGTERM ends it: it waits for what is under way, and prints a line of figures. After a fatal error
it goes on as a new producer, which is another process to the history.
"""

import json
import signal
import sys
import time

import confluent_kafka

from history import Recorder
from outcomes import FAILED, outcome_of

FLUSH_SECONDS_MAX = 90
# Longer than any harm: when a message's time is over, librdkafka takes a new epoch for all partitions, and what was under way in the others
# is sent once more under it, which no broker can tell from new records (librdkafka's issue 4953).
SETTINGS = {
    "acks": "all", "enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": 900_000, "request.timeout.ms": 10_000,
    "socket.timeout.ms": 12_000, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 1000, "retry.backoff.ms": 50,
    "topic.metadata.refresh.interval.ms": 10_000, "log_level": 0,
}


class Sending:
    def __init__(self, name, bootstrap, history, topic, partitions, settings):
        self.name, self.topic, self.partitions, self.history = name, topic, partitions, history
        self.settings = {**SETTINGS, **settings, "bootstrap.servers": bootstrap, "client.id": name}
        self.number = self.life = 0
        self.tally = {"ok": 0, "fail": 0, "info": 0}
        self.errors = {}
        self.producer = None

    def begin(self):
        self.life += 1
        self.recorder = Recorder(self.history, f"{self.name}.{self.life}")
        self.producer = confluent_kafka.Producer(self.settings)
        self.is_fatal = False

    def send(self):
        value = f"{self.name}:{self.number}"
        partition = self.number % self.partitions
        key = f"{self.topic}-{partition}"
        self.number += 1
        self.recorder.note("send", "invoke", key=key, value=value)
        recorder = self.recorder

        def delivered(error, message):
            if error is None:
                offset = message.offset()
                # Of a duplicate the broker's answer may have no offset.
                recorder.note("send", "ok", key=key, value=value, offset=offset if offset is not None and offset >= 0 else None)
                self.tally["ok"] += 1
            else:
                self.failed(recorder, key, value, error, outcome_of(error.name()))

        padding = "x" * (self.number * 7919 % 300)
        try:
            self.producer.produce(self.topic, f"{value} {padding}".encode(), partition=partition, on_delivery=delivered)
        # What is refused here is not queued, and never sent.
        except BufferError:
            self.failed(recorder, key, value, confluent_kafka.KafkaError(confluent_kafka.KafkaError._QUEUE_FULL), FAILED)
        except confluent_kafka.KafkaException as exception:
            self.failed(recorder, key, value, exception.args[0], FAILED)

    def failed(self, recorder, key, value, error, outcome):
        recorder.note("send", outcome, key=key, value=value, error=error.name())
        self.tally[outcome] += 1
        self.errors[error.name()] = self.errors.get(error.name(), 0) + 1
        self.is_fatal = self.is_fatal or error.fatal()

    def end_life(self):
        self.producer.purge()
        self.producer.flush(5)
        self.producer = None

    def run(self, rate, stopping):
        self.begin()
        started, sent = time.monotonic(), 0
        while not stopping:
            self.send()
            sent += 1
            self.producer.poll(0)
            if self.is_fatal:
                self.end_life()
                self.begin()
            # The next one is due then; `poll` comes back earlier where it has something to tell.
            due = started + sent / rate
            while (ahead := due - time.monotonic()) > 0.002:
                self.producer.poll(ahead)
            if ahead < -1:
                started -= ahead
        left = self.producer.flush(FLUSH_SECONDS_MAX)
        if left:
            self.end_life()
        print(json.dumps({**self.tally, "sent": self.number, "lives": self.life, "left": left, "errors": self.errors}), flush=True)


def main():
    name, bootstrap, history, topic, partitions, rate, settings = sys.argv[1:]
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    sending = Sending(name, bootstrap, history, topic, int(partitions), json.loads(settings))
    print("started", flush=True)
    sending.run(float(rate), stopping)


if __name__ == "__main__":
    main()
