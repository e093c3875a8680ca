"""Real clients produce and consume: each codec, each pair of clients, acks, sizes, times, seeking."""

import re
import time

import aiokafka
import confluent_kafka
import kafka
import kafka.errors
import pytest

from clients import (
    CLIENTS, CODECS, AioKafka, Confluent, KafkaPython, Kcat, Loop, Record, aiokafka_consumer, async_run, records, stop_aiokafka,
)
from wire import Connection, batch, batches, record as encoded

PRODUCERS = [KafkaPython, AioKafka, Confluent]
by_name = {"ids": lambda client: client.name}
written = {}
# In the short form under faults each reads what it has written itself.
PAIRS = [
    pytest.param(writer, reader, id=f"{writer.name}-{reader.name}", marks=[pytest.mark.brief] if writer is reader else [])
    for writer in CLIENTS
    for reader in CLIENTS
]


def stored_by(writer, broker, make_topic):
    """The topic that `writer` has filled, with a partition for each codec, and what it wrote there."""
    if writer not in written:
        topic = make_topic(writer.name, partitions=len(CODECS))
        contents = {}
        for partition, codec in enumerate(CODECS):
            sent = writer.writable(records())
            assert writer.write(broker, topic, partition, sent, codec) == list(range(len(sent)))
            contents[partition] = sent
        written[writer] = topic, contents
    return written[writer]


def stored(broker, topic, partition=0):
    """The first batches of a partition, as its leader has them."""

    def fetch(connection):
        fetched = connection.fetch_one(topic, 0, partition)
        assert fetched.error == 0 and fetched.records, f"{topic}-{partition}: error {fetched.error}"
        return list(batches(fetched.records))

    return broker.asked(fetch, topic, partition)


@pytest.mark.parametrize("writer", CLIENTS, **by_name)
def test_the_codec_asked_for_is_the_codec_stored(writer, broker, make_topic):
    topic, contents = stored_by(writer, broker, make_topic)
    for partition in contents:
        found = stored(broker, topic, partition)
        codecs = {attributes & 7 for _, count, attributes, data in found if count > 10}
        assert codecs == {partition}


@pytest.mark.parametrize("writer, reader", PAIRS)
def test_what_one_writes_every_other_reads(writer, reader, broker, make_topic):
    topic, contents = stored_by(writer, broker, make_topic)
    found = reader.read(broker, topic, {partition: len(sent) for partition, sent in contents.items()})
    for partition, expected in contents.items():
        got = found[partition]
        assert [record.offset for record in got] == list(range(len(expected)))
        for mine, theirs in zip(expected, got):
            if reader is Kcat and any(b"\xff" in value or b"\x00" in value for _, value in mine.headers):
                # kcat prints headers as text: what is no text cannot be compared.
                assert (mine.key, mine.value) == (theirs.key, theirs.value)
            else:
                assert mine.content == theirs.content
            if writer.sets_timestamps:
                assert mine.timestamp == theirs.timestamp
            else:
                assert abs(theirs.timestamp - time.time() * 1000) < 300_000


def test_null_header_values(broker, make_topic):
    topic = make_topic()
    Confluent.write(broker, topic, 0, [Record(b"k", b"v", [("none", None), ("empty", b"")])])
    assert Confluent.read(broker, topic, {0: 1})[0][0].headers == [("none", None), ("empty", b"")]
    assert KafkaPython.read(broker, topic, {0: 1})[0][0].headers == [("none", None), ("empty", b"")]


LOST_WITH_THE_LEADER = pytest.mark.one_node("with acks 0 and 1 a killed leader takes what only it has along, as in Kafka")


@pytest.mark.parametrize(
    "acks", [pytest.param(0, marks=LOST_WITH_THE_LEADER), pytest.param(1, marks=LOST_WITH_THE_LEADER), "all"]
)
@pytest.mark.parametrize("client", PRODUCERS, **by_name)
def test_acks(client, acks, broker, make_topic):
    topic = make_topic()
    sent = [Record(b"k%d" % number, b"v%d" % number) for number in range(50)]
    offsets = client.write(broker, topic, 0, list(sent), acks=acks, enable_idempotence=False)
    if broker.is_shaken:
        # Without idempotence a request that is sent again may be stored twice; what is acknowledged is where the client was told.
        got = {record.offset: record.value for record in client.read(broker, topic, {0: max(offsets) + 1})[0]}
        assert [got[offset] for offset in offsets] == [record.value for record in sent]
        assert set(got.values()) == {record.value for record in sent}
        return
    got = client.read(broker, topic, {0: 50})[0]
    assert [record.content for record in got] == [record.content for record in sent]


@pytest.mark.parametrize("client", PRODUCERS, **by_name)
def test_idempotent_producing(client, broker, make_topic):
    topic = make_topic(partitions=2)
    sent = [Record(None, b"v%d" % number * 100) for number in range(500)]
    for partition in range(2):
        assert client.write(broker, topic, partition, list(sent), enable_idempotence=True) == list(range(500))
    first = stored(broker, topic)[0][3]
    assert int.from_bytes(first[43:51], "big", signed=True) >= 0, "the batches carry a producer id"
    assert [r.value for r in client.read(broker, topic, {0: 500})[0]] == [r.value for r in sent]


def test_producer_ids_are_never_given_twice(broker, wire):
    ids = [wire.init_producer_id()[0] for _ in range(2500)]
    assert len(set(ids)) == 2500


@pytest.mark.parametrize("client", PRODUCERS, **by_name)
def test_messages_close_to_the_limit(client, broker, make_topic):
    topic = make_topic(configs={"max.message.bytes": "2000000"})
    limit = {"max_request_size": 3_000_000} if client is not Confluent else {"message_max_bytes": 3_000_000}
    # A batch of one record: header 61, record with its lengths some 15 bytes.
    fits = Record(None, b"f" * (2_000_000 - 61 - 20))
    assert client.write(broker, topic, 0, [fits], **limit) == [0]
    assert client.read(broker, topic, {0: 1})[0][0].value == fits.value
    too_large = Record(None, b"l" * 2_000_000)
    expected = {
        KafkaPython: kafka.errors.MessageSizeTooLargeError, AioKafka: aiokafka.errors.MessageSizeTooLargeError,
        Confluent: confluent_kafka.KafkaException,
    }[client]
    with pytest.raises(expected) as raised:
        client.write(broker, topic, 0, [too_large], **limit)
    if client is Confluent:
        assert raised.value.args[0].code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE
    # What is too large compresses to what is not.
    assert client.write(broker, topic, 0, [too_large], "gzip", **limit) == [1]


def test_default_limit_of_a_message(wire, make_topic):
    """max.message.bytes is 1048588 unless it is set: the very batch of this size goes in, one byte more does not."""
    topic = make_topic()
    value = 1048588 - 61
    while 61 + len(encoded(0, bytes(value))) > 1048588:
        value -= 1
    exact = batch([bytes(value)])
    assert len(exact) == 1048588
    assert wire.produce(topic, exact)[0] == 0
    assert wire.produce(topic, batch([bytes(value + 1)]))[0] == 10


@pytest.mark.parametrize("client", [KafkaPython, AioKafka, Confluent, Kcat], **by_name)
def test_producing_creates_the_topic(client, broker, name):
    topic = name("auto")
    client.write(broker, topic, 0, [Record(b"k", b"v")])
    assert client.read(broker, topic, {0: 1})[0][0].value == b"v"


# Times


@pytest.fixture(scope="module")
def timed(broker):
    """A topic with records at times that go up and down; two batches for each codec."""
    topic = "timed"
    broker.create_topic(topic)
    start = 1_700_000_000_000
    times = [10, 20, 20, 50, 40, 30, 100, 60]
    sent = []
    for codec in CODECS:
        for client in (KafkaPython, Confluent):
            shift = 1000 * len(sent)
            part = [Record(None, b"%d" % number, [], start + shift + time) for number, time in enumerate(times)]
            client.write(broker, topic, 0, list(part), codec)
            sent += part
    return topic, [record.timestamp for record in sent]


def first_at_or_after(times, time):
    for offset, other in enumerate(times):
        if other >= time:
            return offset, other
    return None


def interesting_times(times):
    return sorted({time + change for time in times[:8] + times[37:43] + times[-8:] for change in (-1, 0, 1)})


def test_offsets_for_times_is_exact_for_kafka_python(broker, timed):
    topic, times = timed
    consumer = kafka.KafkaConsumer(bootstrap_servers=broker.address)
    place = kafka.TopicPartition(topic, 0)
    try:
        for time in interesting_times(times):
            found = broker.patiently(lambda: consumer.offsets_for_times({place: time})[place])
            assert (None if found is None else (found.offset, found.timestamp)) == first_at_or_after(times, time)
    finally:
        consumer.close()


def test_offsets_for_times_is_exact_for_aiokafka(broker, timed):
    topic, times = timed

    async def run():
        consumer = aiokafka_consumer(broker)
        await consumer.start()
        place = aiokafka.TopicPartition(topic, 0)
        try:
            for time in interesting_times(times):
                found = (await consumer.offsets_for_times({place: time}))[place]
                assert (None if found is None else (found.offset, found.timestamp)) == first_at_or_after(times, time)
        finally:
            await stop_aiokafka(consumer)

    async_run(run(), broker.seconds(60))


def offset_for_time(consumer, topic, time):
    (found,) = consumer.offsets_for_times([confluent_kafka.TopicPartition(topic, 0, time)], timeout=10)
    if found.error:
        raise confluent_kafka.KafkaException(found.error)
    return found


def test_offsets_for_times_is_exact_for_confluent(broker, timed):
    topic, times = timed
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "unused"})
    try:
        for time in interesting_times(times):
            found = broker.patiently(lambda: offset_for_time(consumer, topic, time))
            expected = first_at_or_after(times, time)
            assert found.offset == (expected[0] if expected else confluent_kafka.OFFSET_END)
    finally:
        consumer.close()


def test_consuming_from_a_time_with_kcat(broker, timed):
    topic, times = timed
    for time in interesting_times(times)[::5]:
        expected = first_at_or_after(times, time)
        # kcat asks for the offset once, and ends where the leader is just another one ("offsets_for_times failed").
        arguments = ["-C", "-q", "-t", topic, "-p", "0", "-o", f"s@{time}", "-e", "-f", "%o\n"]
        output = broker.patiently(lambda: Kcat.run(broker, *arguments))
        assert [int(line) for line in output.split()] == list(range(expected[0], len(times)) if expected else [])


def test_times_survive_a_restart_and_small_segments(own_broker):
    """Lookups that go through the time index of many segments give what a walk over all records gives."""
    broker = own_broker(log_segment_bytes=20_000, log_index_interval_bytes=500)
    with Connection(broker) as connection:
        connection.create_topic("t")
        times = []
        for number in range(300):
            time = 1_600_000_000_000 + (number * 7919) % 300 * 1000
            times.append(time)
            assert connection.produce("t", batch([bytes(400)], timestamp=time))[0] == 0
    for restart in (False, True):
        if restart:
            broker.restart()
        with Connection(broker) as connection:
            for time in range(1_600_000_000_000 - 500, 1_600_000_301_000, 7_500):
                expected = first_at_or_after(times, time) or (-1, -1)
                error, timestamp, offset = connection.list_offset("t", time)
                assert (error, (offset, timestamp)) == (0, expected)


# Beginning, end, seeking


@pytest.fixture(scope="module")
def hundred(broker):
    topic = "hundred"
    broker.create_topic(topic)
    Confluent.write(broker, topic, 0, [Record(None, b"%d" % number) for number in range(100)], linger_ms=0)
    return topic


def test_seeking_with_kafka_python(broker, hundred):
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=broker.address, max_poll_records=1, consumer_timeout_ms=1000 * broker.seconds(5)
    )
    place = kafka.TopicPartition(hundred, 0)
    try:
        consumer.assign([place])
        assert consumer.beginning_offsets([place]) == {place: 0}
        assert consumer.end_offsets([place]) == {place: 100}
        for offset in (50, 0, 99, 3, 98):
            consumer.seek(place, offset)
            assert next(consumer).value == b"%d" % offset
            assert consumer.position(place) == offset + 1
        consumer.seek_to_end(place)
        assert consumer.position(place) == 100
        consumer.seek_to_beginning(place)
        assert next(consumer).offset == 0
    finally:
        consumer.close()


def test_seeking_with_aiokafka(broker, hundred):
    async def run():
        consumer = aiokafka_consumer(broker)
        await consumer.start()
        place = aiokafka.TopicPartition(hundred, 0)
        try:
            consumer.assign([place])
            for offset in (50, 0, 99, 3, 98):
                consumer.seek(place, offset)
                assert (await consumer.getone()).value == b"%d" % offset
            await consumer.seek_to_end(place)
            assert await consumer.position(place) == 100
            await consumer.seek_to_beginning(place)
            assert (await consumer.getone()).offset == 0
            assert await consumer.end_offsets([place]) == {place: 100}
        finally:
            await stop_aiokafka(consumer)

    async_run(run(), broker.seconds(60))


def test_seeking_with_confluent(broker, hundred):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "unused"})
    try:
        place = confluent_kafka.TopicPartition(hundred, 0, 50)
        consumer.assign([place])
        assert consumer.poll(broker.seconds(10)).offset() == 50
        for offset in (0, 99, 3, 98):
            broker.patiently(lambda: consumer.seek(confluent_kafka.TopicPartition(hundred, 0, offset)))
            assert consumer.poll(broker.seconds(10)).value() == b"%d" % offset
        assert broker.patiently(lambda: consumer.get_watermark_offsets(place, timeout=10)) == (0, 100)
    finally:
        consumer.close()


def test_kcat_from_anywhere(broker, hundred):
    def offsets(*arguments):
        return [int(x) for x in Kcat.run(broker, "-C", "-q", "-t", hundred, "-e", "-f", "%o\n", *arguments).split()]

    assert offsets("-o", "beginning") == list(range(100))
    assert offsets("-o", "-5") == list(range(95, 100))
    assert offsets("-o", "42", "-c", "3") == [42, 43, 44]
    assert offsets("-o", "end") == []
    listing = Kcat.run(broker, "-L", "-t", hundred).decode()
    assert f'topic "{hundred}" with 1 partitions' in listing
    assert re.search(r"partition 0, leader (-1|[1-3])," if broker.is_shaken else "partition 0, leader 1,", listing)


@pytest.mark.parametrize("kind", ["kafka-python", "confluent-kafka"])
def test_reading_from_the_end_sees_only_what_comes_later(kind, broker, make_topic):
    topic = make_topic()
    Confluent.write(broker, topic, 0, [Record(None, b"early")])
    if kind == "kafka-python":
        consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=broker.address, consumer_timeout_ms=1000 * broker.seconds(10)
        )
        try:
            while not consumer.assignment():
                consumer.poll(timeout_ms=50)
            place = kafka.TopicPartition(topic, 0)
            assert consumer.position(place) == 1
            Confluent.write(broker, topic, 0, [Record(None, b"late")])
            assert next(consumer).value == b"late"
        finally:
            consumer.close()
    else:
        consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "unused"})
        try:
            place = confluent_kafka.TopicPartition(topic, 0, confluent_kafka.OFFSET_END)
            consumer.assign([place])
            # A fetch has told it the end: else a record that comes now may be before it.
            deadline = time.monotonic() + broker.seconds(10)
            while consumer.get_watermark_offsets(place, cached=True)[1] != 1 and time.monotonic() < deadline:
                assert consumer.poll(0.2) is None
            Confluent.write(broker, topic, 0, [Record(None, b"late")])
            assert consumer.poll(broker.seconds(10)).value() == b"late"
        finally:
            consumer.close()


def test_offset_that_is_gone_resets_as_configured(broker, make_topic):
    topic = make_topic()
    Confluent.write(broker, topic, 0, [Record(None, b"%d" % number) for number in range(10)])
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker.address, "group.id": "unused", "auto.offset.reset": "earliest"}
    )
    try:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 5000)])
        assert consumer.poll(broker.seconds(10)).offset() == 0
    finally:
        consumer.close()
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=broker.address, auto_offset_reset="none", consumer_timeout_ms=1000 * broker.seconds(5)
    )
    try:
        place = kafka.TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 5000)
        with pytest.raises(kafka.errors.OffsetOutOfRangeError):
            next(consumer)
    finally:
        consumer.close()


def test_reading_much_through_small_fetches(broker, make_topic):
    topic = make_topic(partitions=3)
    values = [b"%06d" % number + bytes(2000) for number in range(1500)]
    for partition in range(3):
        Confluent.write(broker, topic, partition, [Record(None, value) for value in values])
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=broker.address, fetch_max_bytes=50_000, max_partition_fetch_bytes=20_000,
        consumer_timeout_ms=1000 * broker.seconds(8),
    )
    places = [kafka.TopicPartition(topic, partition) for partition in range(3)]
    try:
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        found = {0: [], 1: [], 2: []}
        for record in consumer:
            found[record.partition].append(record.value)
            if sum(map(len, found.values())) == 4500:
                break
        assert found == {0: values, 1: values, 2: values}
    finally:
        consumer.close()


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.close()


def test_waiting_consumers_get_records_at_once(broker, make_topic, loop):
    """A record reaches consumers that wait for it within a moment, not at their next poll."""
    topic = make_topic()

    async def start():
        consumer = aiokafka_consumer(broker, fetch_max_wait_ms=10_000)
        await consumer.start()
        consumer.assign([aiokafka.TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        return consumer

    consumer = loop.run(start())
    try:
        producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "linger.ms": 0})
        for number in range(5):
            time.sleep(0.05)
            producer.produce(topic, b"%d" % number, partition=0)
            producer.flush(broker.seconds(5))
            done = time.monotonic()
            assert loop.run(consumer.getone(), broker.seconds(30)).value == b"%d" % number
            assert time.monotonic() - done < broker.seconds(2)
    finally:
        loop.run(stop_aiokafka(consumer))
