"""Four clients of Kafka, unmodified and with their defaults, behind one face: what one writes, each must read alike.

Where brokers are killed meanwhile they write as idempotent producers, for only those promise each record once and in order: kafka-python
does by default; librdkafka's default repeats a request whose answer was lost, and aiokafka's is acks=1.
"""

import asyncio
import subprocess
import threading
import time
from dataclasses import dataclass, field

import aiokafka
import confluent_kafka
import kafka

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
READ_SECONDS_MAX = 20


@dataclass
class Record:
    key: bytes | None
    value: bytes | None
    headers: list = field(default_factory=list)
    timestamp: int | None = None
    offset: int = -1

    @property
    def content(self):
        return self.key, self.value, [tuple(header) for header in self.headers]


def records(count_of_plain=20):
    """Records of every odd kind, with times of their own."""
    now = int(time.time() * 1000) - 100_000
    odd = [
        (b"key", b"value", []),
        (None, b"without a key", []),
        (b"tombstone", None, []),
        (None, None, []),
        (b"", b"", []),
        ("ключ 🗝".encode(), "值 – Wert – τιμή 🦦".encode(), [("заголовок", "значение".encode())]),
        (bytes(range(256)), bytes(range(255, -1, -1)), []),
        (b"headers", b"x", [("a", b"1"), ("a", b"2"), ("b", b""), ("binary", b"\x00\xff\x7f")]),
        (b"large", b"0123456789" * 5000, []),
        (b"line\nbreak", b"tab\tand\r\nbreaks\n", []),
    ]
    odd += [(b"plain", b"plain value %06d" % number * 4, []) for number in range(count_of_plain)]
    return [Record(key, value, headers, now + 1000 * place) for place, (key, value, headers) in enumerate(odd)]


def with_something_in_them(records):
    """kafka-python and aiokafka refuse to send a record without key and value."""
    return [record for record in records if record.key is not None or record.value is not None]


def write_options(broker, options):
    return {"enable_idempotence": True, **options} if broker.is_shaken else options


def async_run(coroutine, timeout=60):
    return asyncio.run(asyncio.wait_for(coroutine, timeout))


class KafkaPython:
    name = "kafka-python"
    sets_timestamps = True
    writable = staticmethod(with_something_in_them)

    @staticmethod
    def write(broker, topic, partition, records, codec="none", **options):
        producer = kafka.KafkaProducer(
            bootstrap_servers=broker.address, compression_type=None if codec == "none" else codec,
            **write_options(broker, options),
        )
        seconds = broker.seconds(READ_SECONDS_MAX)
        try:
            sent = [
                producer.send(
                    topic, value=record.value, key=record.key, headers=record.headers, partition=partition,
                    timestamp_ms=record.timestamp,
                )
                for record in records
            ]
            producer.flush(seconds)
            return [future.get(seconds).offset for future in sent]
        finally:
            producer.close()

    @staticmethod
    def read(broker, topic, counts):
        """{partition: records} from the beginning, `counts` of each."""
        consumer = kafka.KafkaConsumer(bootstrap_servers=broker.address)
        try:
            places = [kafka.TopicPartition(topic, partition) for partition in counts]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            result = {partition: [] for partition in counts}
            deadline = time.monotonic() + broker.seconds(READ_SECONDS_MAX)
            while any(len(result[place]) < counts[place] for place in counts) and time.monotonic() < deadline:
                for place, found in consumer.poll(timeout_ms=500).items():
                    result[place.partition] += [
                        Record(r.key, r.value, list(r.headers), r.timestamp, r.offset) for r in found
                    ]
            return result
        finally:
            consumer.close()


def aiokafka_consumer(broker, *topics, **options):
    """A consumer of aiokafka, with its defaults; where brokers are killed it looks for new leaders every two seconds.

    aiokafka 0.14 asks the same broker for the offset to begin at, whatever that answers, until it happens to renew its metadata, which by
    default is in five minutes (`Fetcher._update_fetch_positions` in consumer/fetcher.py: unlike `_retrieve_offsets` it asks for none).
    """
    if broker.is_shaken:
        options = {"metadata_max_age_ms": 2000, **options}
    return aiokafka.AIOKafkaConsumer(*topics, bootstrap_servers=broker.address, **options)


async def stop_aiokafka(consumer):
    """Stops it. aiokafka 0.14 lets its own CancelledError out where a fetch had just failed (`Fetcher.close` cancels and awaits the
    task, and `_proc_fetch_request` catches it around the request, but not around the pause after it)."""
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        if asyncio.current_task().cancelling():
            raise


class AioKafka:
    name = "aiokafka"
    sets_timestamps = True
    writable = staticmethod(with_something_in_them)

    @staticmethod
    def write(broker, topic, partition, records, codec="none", **options):
        async def run():
            producer = aiokafka.AIOKafkaProducer(
                bootstrap_servers=broker.address, compression_type=None if codec == "none" else codec,
                **write_options(broker, options),
            )
            await producer.start()
            try:
                sent = [
                    await producer.send(
                        topic, value=record.value, key=record.key, headers=record.headers, partition=partition,
                        timestamp_ms=record.timestamp,
                    )
                    for record in records
                ]
                answers = [await future for future in sent]
                return [answer.offset if answer else None for answer in answers]
            finally:
                await producer.stop()

        return async_run(run(), broker.seconds(60))

    @staticmethod
    def read(broker, topic, counts):
        async def run():
            consumer = aiokafka_consumer(broker)
            await consumer.start()
            try:
                places = [aiokafka.TopicPartition(topic, partition) for partition in counts]
                consumer.assign(places)
                await consumer.seek_to_beginning(*places)
                result = {partition: [] for partition in counts}
                deadline = time.monotonic() + broker.seconds(READ_SECONDS_MAX)
                while any(len(result[place]) < counts[place] for place in counts) and time.monotonic() < deadline:
                    for place, found in (await consumer.getmany(timeout_ms=500)).items():
                        result[place.partition] += [
                            Record(r.key, r.value, list(r.headers), r.timestamp, r.offset) for r in found
                        ]
                return result
            finally:
                await stop_aiokafka(consumer)

        return async_run(run(), broker.seconds(60))


class Confluent:
    name = "confluent-kafka"
    sets_timestamps = True
    writable = staticmethod(list)

    @staticmethod
    def write(broker, topic, partition, records, codec="none", **options):
        producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": broker.address, "compression.type": codec,
                **{name.replace("_", "."): value for name, value in write_options(broker, options).items()},
            }
        )
        offsets = [None] * len(records)
        errors = []

        def delivered(place):
            def note(error, message):
                if error:
                    errors.append(error)
                else:
                    offsets[place] = message.offset()

            return note

        for place, record in enumerate(records):
            producer.produce(
                topic, value=record.value, key=record.key, headers=record.headers, partition=partition,
                timestamp=record.timestamp or 0, on_delivery=delivered(place),
            )
        left = producer.flush(broker.seconds(READ_SECONDS_MAX))
        if errors:
            raise confluent_kafka.KafkaException(errors[0])
        assert left == 0
        return offsets

    @staticmethod
    def read(broker, topic, counts):
        consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "unused"})
        try:
            consumer.assign(
                [confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING) for partition in counts]
            )
            result = {partition: [] for partition in counts}
            deadline = time.monotonic() + broker.seconds(READ_SECONDS_MAX)
            while any(len(result[place]) < counts[place] for place in counts) and time.monotonic() < deadline:
                left = sum(max(0, counts[place] - len(result[place])) for place in counts)
                for message in consumer.consume(min(500, left), 0.5):
                    assert message.error() is None, message.error()
                    result[message.partition()].append(
                        Record(
                            message.key(), message.value(), message.headers() or [], message.timestamp()[1],
                            message.offset(),
                        )
                    )
            return result
        finally:
            consumer.close()


def after_error(consumer, error, is_cooperative=False):
    """What a program must do that is told "Failed to fetch committed offsets": give the consumer its partitions anew.

    librdkafka asks for the offsets of new partitions once. Where a coordinator that is none any more says so, it learns of the new one
    and never asks again, and reads nothing more (librdkafka issue 5586, open in 2026; seen with 2.16 and 2.0.2).
    """
    if "Failed to fetch committed offsets" not in error.str():
        return
    places = consumer.assignment()
    if is_cooperative:
        consumer.incremental_unassign(places)
        consumer.incremental_assign(places)
    else:
        consumer.assign(places)


class KcatFailed(Exception):
    """kcat ended with an error, which is the text of this one."""


class Kcat:
    """Debian's kcat: librdkafka 2.0.2. It sends lines, with the same headers for all, and the time of sending."""

    name = "kcat"
    sets_timestamps = False

    @staticmethod
    def run(broker, *arguments, input=None, seconds=None):
        seconds = seconds or broker.seconds(READ_SECONDS_MAX)
        try:
            done = subprocess.run(
                ["kcat", "-b", broker.address, *arguments], input=input, capture_output=True, timeout=seconds
            )
        except subprocess.TimeoutExpired as expired:
            raise KcatFailed(f"Timed out after {seconds} s: {expired.stderr}") from None
        if done.returncode != 0:
            raise KcatFailed(done.stderr.decode())
        return done.stdout

    @classmethod
    def write(cls, broker, topic, partition, records, codec="none", **options):
        options = write_options(broker, options)
        extra = [part for name, value in options.items() for part in ("-X", f"{name.replace('_', '.')}={str(value).lower()}")]
        plain = [record for record in records if not record.headers]
        groups = [plain] + [[record] for record in records if record.headers]
        for group in groups:
            headers = [part for name, value in group[0].headers for part in ("-H", f"{name}={value.decode()}")]
            lines = b"\x1e".join((r.key or b"") + b"\x1f" + (r.value or b"") for r in group)
            cls.run(
                broker, "-P", "-t", topic, "-p", str(partition), "-z", codec, "-Z", "-K", "\x1f", "-D", "\x1e", *headers,
                *extra, input=lines,
            )
        # The order in which they were sent.
        records[:] = [record for group in groups for record in group]
        return list(range(len(records)))

    @staticmethod
    def writable(records):
        """Those of `records` that kcat can send: it has no empty keys or values, and its headers are text."""
        kept = []
        for record in records:
            if record.key == b"" or record.value == b"" or 0x1E in (record.key or b"") + (record.value or b""):
                continue
            if record.key is None and record.value is None:
                continue
            if any(not value or b"\x00" in value for _, value in record.headers):
                continue
            kept.append(record)
        return kept

    @classmethod
    def read(cls, broker, topic, counts):
        result = {}
        for partition, count in counts.items():
            # Lengths first, so that bytes of any kind can follow.
            output = cls.run(
                broker, "-C", "-q", "-t", topic, "-p", str(partition), "-o", "beginning", "-c", str(count), "-e", "-f",
                "%o,%T,%K,%S,%h\x1d%k%s\n",
            )
            found = []
            while output:
                front, _, output = output.partition(b"\x1d")
                offset, timestamp, key_size, value_size, headers = front.split(b",", 4)
                key_size, value_size = int(key_size), int(value_size)
                key, output = output[: max(0, key_size)], output[max(0, key_size) :]
                value, output = output[: max(0, value_size)], output[max(0, value_size) :]
                assert output[:1] == b"\n"
                output = output[1:]
                pairs = [tuple(part.split(b"=", 1)) for part in headers.split(b",")] if headers else []
                found.append(
                    Record(
                        None if key_size < 0 else key, None if value_size < 0 else value,
                        [(name.decode(), text) for name, text in pairs], int(timestamp), int(offset),
                    )
                )
            result[partition] = found
        return result


CLIENTS = [KafkaPython, AioKafka, Confluent, Kcat]


class Loop:
    """An event loop on a thread of its own, for asynchronous clients in tests that are not."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine, timeout=30):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
