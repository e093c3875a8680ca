"""Compaction as clients see it: the newest record of each key stays, at its offset, whatever stops the broker."""

import itertools
import random
import time

import confluent_kafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

import wire as kafka
from clients import CODECS
from test_limits import until
from wire import Connection, W, batch, record

OUT_OF_ORDER, DUPLICATE = 45, 46

OFTEN = {
    "log_cleaner_backoff_ms": 100,
    "log_retention_check_interval_ms": 100,
    "log_cleaner_min_cleanable_ratio": 0.01,
    "log_segment_delete_delay_ms": 100,
}
COMPACT = {"cleanup.policy": "compact", "segment.bytes": "20000", "segment.ms": "500"}


class Written:
    """What was acknowledged, by offset."""

    def __init__(self):
        self.records = {}

    def newest(self):
        """{key: offset} of the newest record of each key."""
        return {key: offset for offset, (key, _) in sorted(self.records.items())}

    def check(self, found, tombstones_may_go=False):
        """Nothing is there that was not written, nothing twice or out of order, and the newest of each key is."""
        offsets = [offset for offset, _, _ in found]
        assert offsets == sorted(set(offsets))
        for offset, key, value in found:
            assert self.records[offset] == (key, value)
        newest = set(self.newest().values())
        if tombstones_may_go:
            newest -= {offset for offset in newest if self.records[offset][1] is None}
        assert newest <= set(offsets)
        return len(found) - len(newest)


def write(broker, topic, written, records, **options):
    """Sends (key, value)s to partition 0 and notes their offsets; returns how many were not acknowledged."""
    failed = []

    def delivered(error, message):
        if error:
            failed.append(error)
        else:
            written.records[message.offset()] = message.key(), message.value()

    producer = confluent_kafka.Producer(
        {"bootstrap.servers": broker.address, "batch.num.messages": 20, "linger.ms": 1,
         **{name.replace("_", "."): value for name, value in options.items()}}
    )
    # Else it finds the leader later.
    producer.list_topics(topic, 10)
    for key, value in records:
        producer.produce(topic, key=key, value=value, partition=0, on_delivery=delivered)
        producer.poll(0)
    assert producer.flush(20) == 0
    return len(failed)


def read(broker, topic, partition=0):
    """All records, from the beginning to the end: (offset, key, value)."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker.address, "group.id": "unused", "enable.partition.eof": True, "check.crcs": True,
         "enable.auto.commit": False, "fetch.wait.max.ms": 10}
    )
    try:
        # Else it finds the leader half a second later.
        consumer.list_topics(topic, 10)
        consumer.assign([TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING)])
        found = []
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error() is None:
                found.append((message.offset(), message.key(), message.value()))
            else:
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                return found
        raise AssertionError(f"the end is not reached after {len(found)} records")
    finally:
        consumer.close()


def of_keys(count, key_count, tag=b"", tombstones=0.1):
    chance = random.Random(count)
    return [
        (b"key %d" % (number % key_count),
         None if chance.random() < tombstones else b"%s %d " % (tag, number) + b"x" * chance.randrange(100))
        for number in range(count)
    ]


def test_the_newest_of_each_key_stays(own_broker):
    """For every codec; records without a newer one of their key keep their offsets and bytes."""
    broker = own_broker(**OFTEN)
    written = {codec: Written() for codec in CODECS}
    with Connection(broker) as connection:
        for codec in CODECS:
            connection.create_topic(codec, 1, COMPACT)
    for number, codec in enumerate(CODECS):
        # Some that stay alone, many that do not.
        alone = [(b"alone %d" % number, b"first") for number in range(30)]
        records = alone + of_keys(1000, 40, codec.encode())
        assert not write(broker, codec, written[codec], records, compression_type=codec, enable_idempotence=number % 2 == 0)
    for codec in CODECS:
        until(lambda: written[codec].check(read(broker, codec)) == 0, 15)
        assert len(written[codec].newest()) == 70
    broker.restart(kill=True)
    for codec in CODECS:
        written[codec].check(read(broker, codec))
        assert not write(broker, codec, written[codec], of_keys(300, 50, b"again"), compression_type=codec)
        until(lambda: written[codec].check(read(broker, codec)) == 0, 15)


def test_tombstones_go_after_their_time(own_broker):
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {**COMPACT, "delete.retention.ms": "1000"})
    written = Written()
    kept = [(b"kept %d" % number, b"value") for number in range(5)]
    assert not write(broker, "t", written, kept + of_keys(500, 20) + [(b"key %d" % key, None) for key in range(20)])
    # What follows is in other batches: the last record of a log keeps its batch.
    until(lambda: written.check(read(broker, "t")) == 0)
    for number in itertools.count():
        assert not write(broker, "t", written, [(b"later", b"%d" % number)])
        found = read(broker, "t")
        written.check(found, tombstones_may_go=True)
        if not any(value is None for _, _, value in found):
            break
        assert number < 50, found
        time.sleep(0.2)
    assert {key for _, key, _ in found} == {key for key, _ in kept} | {b"later"}
    with Connection(broker) as connection:
        assert connection.list_offset("t", -1)[2] == max(written.records) + 1
        assert connection.list_offset("t", -2)[2] == 0


def test_compact_and_delete_do_both(own_broker):
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {**COMPACT, "cleanup.policy": "compact,delete", "retention.ms": "2500"})
    written = Written()
    assert not write(broker, "t", written, of_keys(1000, 20))
    until(lambda: written.check(read(broker, "t")) == 0)
    with Connection(broker) as connection:
        end = max(written.records) + 1
        until(lambda: connection.list_offset("t", -2)[2] == end)
        assert connection.list_offset("t", -1)[2] == end
    assert read(broker, "t") == []


def keyed(values, key, **options):
    payload = b"".join(record(place, value, key) for place, value in enumerate(values))
    return batch(values, payload=payload, **options)


def test_a_producer_goes_on_where_its_records_are_compacted_away(own_broker):
    """Its last sequence numbers are known, though a newer record of the same key has taken the place of all it wrote."""
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, COMPACT)
        producer, epoch = connection.init_producer_id()
        other, other_epoch = connection.init_producer_id()
        first = keyed([b"mine"] * 3, b"k", producer=(producer, epoch, 0))
        assert connection.produce("t", first)[:2] == (0, 0)
        for number in range(8):
            sent = keyed([bytes(4000)], b"k", producer=(other, other_epoch, number))
            assert connection.produce("t", sent)[:2] == (0, 3 + number)
        until(lambda: len(read(broker, "t")) == 1)
    for kill in (False, True, True):
        broker.restart(kill=kill)
        with Connection(broker) as connection:
            assert connection.produce("t", first)[0] in (0, DUPLICATE), "sent again"
            assert connection.list_offset("t", -1)[2] == 11
            gap = keyed([b"gap"], b"k", producer=(producer, epoch, 5))
            assert connection.produce("t", gap)[0] == OUT_OF_ORDER
    with Connection(broker) as connection:
        next = keyed([b"next"], b"k", producer=(producer, epoch, 3))
        assert connection.produce("t", next)[:2] == (0, 11)


def test_kills_in_the_middle_of_cleanings_lose_nothing(own_broker):
    broker = own_broker(**OFTEN, log_cleaner_io_max_bytes_per_second=400_000)
    chance = random.Random(7)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {**COMPACT, "segment.bytes": "10000", "segment.ms": "200"})
    written = Written()
    for round in range(20):
        write(broker, "t", written, of_keys(300, 30 + round, b"round %d" % round), enable_idempotence=round % 4 == 0)
        time.sleep(chance.random() * 0.15)
        broker.restart(kill=True)
        written.check(read(broker, "t"))
    until(lambda: written.check(read(broker, "t")) == 0)
    folder = broker.data / "t-0"
    broker.stop()
    assert not [path.name for path in folder.iterdir() if path.suffix in (".cleaned", ".swap")]
    assert "damaged" not in broker.log.read_text()


def test_what_was_deleted_while_it_was_cleaned_stays_deleted(own_broker):
    """DeleteRecords, and the topic deleted and made anew, while the cleaner is at work."""
    broker = own_broker(**OFTEN, log_cleaner_io_max_bytes_per_second=300_000)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {**COMPACT, "cleanup.policy": "compact,delete"})
    written = Written()
    assert not write(broker, "t", written, of_keys(2000, 500))
    admin = AdminClient({"bootstrap.servers": broker.address})
    end = max(written.records) + 1
    for place in range(100, end, 300):
        (future,) = admin.delete_records([TopicPartition("t", 0, place)]).values()
        assert future.result(10).low_watermark == place
        found = read(broker, "t")
        assert found[0][0] >= place
        written.records = {offset: record for offset, record in written.records.items() if offset >= place}
        written.check(found)
    until(lambda: written.check(read(broker, "t")) == 0)
    for number in range(3):
        assert not write(broker, "t", written, of_keys(2000, 500))
        (future,) = admin.delete_topics(["t"]).values()
        future.result(10)
        with Connection(broker) as connection:
            connection.create_topic("t", 1, COMPACT)
        written = Written()
        assert not write(broker, "t", written, [(b"a", b"new %d" % number)])
        assert read(broker, "t") == [(0, b"a", b"new %d" % number)]
    broker.restart(kill=True)
    assert read(broker, "t") == [(0, b"a", b"new 2")]


# Groups


def offsets_bytes(broker):
    return sum(
        path.stat().st_size for folder in broker.data.glob("__consumer_offsets-*") for path in folder.glob("*.log")
    )


def test_commits_are_compacted(own_broker):
    broker = own_broker(**OFTEN, offsets_topic_segment_bytes=20_000, offsets_topic_num_partitions=1, log_roll_ms=500)
    with Connection(broker) as connection:
        connection.create_topic("t", 3)
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker.address, "group.id": "g", "enable.auto.commit": False}
    )
    for number in range(1, 2001):
        places = [TopicPartition("t", partition, number * 10 + partition) for partition in range(3)]
        consumer.commit(offsets=places, asynchronous=False)
        if number % 500 == 0:
            broker.restart(kill=number % 1000 == 0)
            places = consumer.committed(places, 10)
            assert [place.offset for place in places] == [number * 10 + partition for partition in range(3)]
    until(lambda: offsets_bytes(broker) < 2_000)
    consumer.close()
    broker.restart(kill=True)
    answer = broker.run("group", "describe", "g").decode()
    assert all(str(20_000 + partition) in answer for partition in range(3)), answer


def commit(connection, group, offset, retention_ms):
    """OffsetCommit v2, which says itself how long it is to be kept."""
    body = W().string(group).i32(-1).string("").i64(retention_ms).i32(1).string("t").i32(1)
    reader = connection.ask(kafka.OFFSET_COMMIT, 2, body.i32(0).i64(offset).string("").bytes)
    ((_, results),) = reader.array(lambda r: (r.string(), r.array(lambda r: (r.i32(), r.i16()))))
    assert results == [(0, 0)]


def committed(connection, group):
    body = W().string(group).i32(1).string("t").i32(1).i32(0)
    reader = connection.ask(kafka.OFFSET_FETCH, 1, body.bytes)
    ((_, results),) = reader.array(
        lambda r: (r.string(), r.array(lambda r: (r.i32(), r.i64(), r.string(), r.i16())))
    )
    return results[0][1]


def test_offsets_expire_when_the_group_is_empty(own_broker):
    broker = own_broker(**OFTEN, offsets_retention_check_interval_ms=200, offsets_topic_num_partitions=1)
    with Connection(broker) as connection:
        connection.create_topic("t")
        member = confluent_kafka.Consumer(
            {"bootstrap.servers": broker.address, "group.id": "used", "session.timeout.ms": 6000}
        )
        member.subscribe(["t"])
        until(lambda: member.poll(0.1) is None and member.assignment())
        member.commit(offsets=[TopicPartition("t", 0, 5)], asynchronous=False)
        commit(connection, "left", 7, 800)
        commit(connection, "kept", 8, -1)
        assert committed(connection, "left") == 7
        until(lambda: committed(connection, "left") == -1)
        assert committed(connection, "used") == 5
        assert committed(connection, "kept") == 8
        member.close()
    broker.restart(kill=True)
    with Connection(broker) as connection:
        groups = [committed(connection, group) for group in ("left", "used", "kept")]
        assert groups == [-1, 5, 8]
