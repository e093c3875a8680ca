"""What must hold of a log, whatever happened to its broker."""

import collections
import time
import zlib

import confluent_kafka

import wire
from producing import value_of
from wire import Connection, W

READ_SECONDS_MAX = 60


def stored_records(broker, topic, partitions):
    """{partition: {offset: value}} of everything that a topic holds; checksums are verified on the way."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker.address, "group.id": "checker", "check.crcs": True, "enable.partition.eof": True}
    )
    stored = {partition: {} for partition in range(partitions)}
    try:
        consumer.assign(
            [confluent_kafka.TopicPartition(topic, place, confluent_kafka.OFFSET_BEGINNING) for place in stored]
        )
        ended = set()
        deadline = time.monotonic() + READ_SECONDS_MAX
        while len(ended) < partitions:
            assert time.monotonic() < deadline, f"reading {topic} does not end"
            for message in consumer.consume(10_000, 0.2):
                if message.error() is None:
                    assert message.offset() not in stored[message.partition()]
                    stored[message.partition()][message.offset()] = message.value()
                else:
                    assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                    ended.add(message.partition())
    finally:
        consumer.close()
    return stored


def lost(stored, producer):
    """Acknowledged records of `producer` that are not where they were said to be."""
    everywhere = {partition: set(records.values()) for partition, records in stored.items()}

    def is_there(record):
        value = value_of(producer.name, record.number)
        if record.offset < 0:
            return value in everywhere[record.partition]
        return stored[record.partition].get(record.offset) == value

    return [record for record in producer.acknowledged if not is_there(record)]


def check_nothing_lost(stored, producers):
    """Each acknowledged record is at its offset, with its value."""
    for producer in producers:
        acknowledged = producer.acknowledged
        assert acknowledged, f"{producer} was never acknowledged anything"
        missing = lost(stored, producer)
        assert not missing, f"{producer}: {len(missing)} of {len(acknowledged)} acknowledged records are lost, as {missing[:3]}"


def check_order(stored, producers, some_were_refused=False):
    """What one producer sent to one partition stands there in its order, and of an idempotent one, once.

    Where `some_were_refused`, that is asked of idempotent ones only: what another client has sent, or made up to be sent,
    after the records that were refused may be taken before it sends those again.
    """
    by_name = {producer.name: producer for producer in producers}
    numbers = collections.defaultdict(list)
    for partition, records in stored.items():
        for offset in sorted(records):
            name, number, _ = records[offset].split(b" ", 2)
            assert records[offset] == value_of(name.decode(), int(number)), f"offset {offset} holds what nobody sent"
            numbers[name.decode(), partition].append(int(number))
    for (name, partition), found in numbers.items():
        if by_name[name].is_idempotent:
            assert found == sorted(set(found)), f"{name}, partition {partition}: twice, or out of order"
        elif not some_were_refused:
            # It may have sent again what had been stored already: in their first places, numbers still grow.
            first = list(dict.fromkeys(found))
            back = [place for place in range(1, len(first)) if first[place] < first[place - 1]]
            around = [first[max(0, place - 3) : place + 3] for place in back[:3]]
            assert not back, f"{name}, partition {partition}: out of order {len(back)} times, as {around}"


def check_one_value_an_offset(stored, consumers):
    """No offset had another value when a consumer saw it."""
    for consumer in consumers:
        for partition, offset, checksum in consumer.seen:
            value = stored[partition].get(offset)
            assert value is not None, f"{consumer} has seen {partition}:{offset}, which is gone"
            assert zlib.crc32(value) == checksum, f"{consumer} has seen another value at {partition}:{offset}"


def committed_offset(broker, group, topic, partition):
    """What a group has committed: -1 for nothing. Waits while the coordinator is reading its log."""
    body = W().string(group).i32(1).string(topic).i32(1).i32(partition).bytes
    deadline = time.monotonic() + 10
    while True:
        with Connection(broker) as connection:
            reader = connection.ask(wire.OFFSET_FETCH, 1, body)
        ((_, ((_, offset, _, error),)),) = reader.array(
            lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i64(), p.string(), p.i16())))
        )
        if error == 0:
            return offset
        assert error in (14, 15, 16) and time.monotonic() < deadline, f"error {error}"
        time.sleep(0.02)


def check_commits(broker, consumers):
    """No group has gone back behind a commit that was answered."""
    answered = {}
    for consumer in consumers:
        for partition, offset in consumer.committed:
            place = consumer.group, consumer.topic, partition
            answered[place] = max(offset, answered.get(place, -1))
    for (group, topic, partition), offset in answered.items():
        found = committed_offset(broker, group, topic, partition)
        assert found >= offset, f"{group} is at {found} of {topic}-{partition}, and {offset} was committed"
    return answered
