"""What leaves a log by age, size and request, with clients whose clocks are wrong."""

import time

import confluent_kafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

import wire as kafka
from clients import Confluent, KafkaPython, Record
from test_limits import until
from wire import Connection, batch

OFTEN = {"log_retention_check_interval_ms": 100, "log_segment_delete_delay_ms": 0}
YEAR_MS = 365 * 24 * 3600 * 1000
INVALID_TIMESTAMP = 32


def now_ms():
    return int(time.time() * 1000)


def start_and_end(broker, topic):
    with Connection(broker) as connection:
        return connection.list_offset(topic, -2)[2], connection.list_offset(topic, -1)[2]


def test_a_clock_that_is_a_year_ahead(own_broker):
    """Such records are refused; where the topic allows them, they go when the broker's clock says so, and hold nothing up."""
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("strict", 1)
        ahead = batch([b"ahead"], timestamp=now_ms() + YEAR_MS)
        assert connection.produce("strict", ahead)[0] == INVALID_TIMESTAMP
        allowed = {"message.timestamp.after.max.ms": str(2 * YEAR_MS), "retention.ms": "1500", "segment.bytes": "500"}
        connection.create_topic("lenient", 1, {**allowed, "segment.ms": "300"})
    ahead = [Record(b"k", b"ahead %d" % number, [], now_ms() + YEAR_MS) for number in range(20)]
    assert Confluent.write(broker, "lenient", 0, ahead, linger_ms="0") == list(range(20))
    assert KafkaPython.write(broker, "lenient", 0, [Record(b"k", b"right", [], now_ms())]) == [20]
    assert start_and_end(broker, "lenient") == (0, 21), "nothing goes at once"
    until(lambda: start_and_end(broker, "lenient") == (21, 21))
    broker.restart(kill=True)
    assert start_and_end(broker, "lenient") == (21, 21)


def test_a_clock_that_is_a_year_behind(own_broker):
    """As in Kafka such records are old when they come: they go with the first look, and take nothing newer with them."""
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"retention.ms": "3600000", "segment.bytes": "500", "segment.ms": "300"})
    behind = [Record(b"k", b"behind %d" % number, [], now_ms() - YEAR_MS) for number in range(20)]
    # Batches of one record: segments are rolled between batches.
    for record in behind:
        Confluent.write(broker, "t", 0, [record])
    Confluent.write(broker, "t", 0, [Record(b"k", b"right", [], now_ms())])
    until(lambda: start_and_end(broker, "t")[0] > 0)
    time.sleep(1)
    start, end = start_and_end(broker, "t")
    assert end == 21 and 10 < start <= 20
    (found,) = Confluent.read(broker, "t", {0: end - start}).values()
    assert found[-1].value == b"right" and found[0].offset == start


def test_a_topic_without_limits_keeps_all(own_broker):
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"retention.ms": "-1", "segment.bytes": "500", "segment.ms": "200"})
        for number in range(20):
            assert connection.produce("t", batch([b"%d" % number * 100], timestamp=1_000_000_000_000))[:2] == (0, number)
    time.sleep(1)
    broker.restart()
    assert start_and_end(broker, "t") == (0, 20)


def test_limits_that_are_set_later_count_for_what_is_there(own_broker):
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"segment.bytes": "20000"})
        for number in range(30):
            assert connection.produce("t", batch([bytes(5000)], timestamp=now_ms()))[0] == 0
    time.sleep(0.5)
    assert start_and_end(broker, "t") == (0, 30)
    broker.run("config", "set", "topic", "t", "retention.bytes=40000")
    until(lambda: 15 <= start_and_end(broker, "t")[0] < 30)
    broker.run("config", "set", "topic", "t", "--delete", "retention.bytes")
    before = start_and_end(broker, "t")
    time.sleep(0.5)
    assert start_and_end(broker, "t") == before
    broker.run("config", "set", "topic", "t", "retention.ms=100", "segment.ms=100")
    until(lambda: start_and_end(broker, "t") == (30, 30))


def test_deleted_records_and_retention_agree(own_broker):
    """DeleteRecords in the middle of a segment; what follows by size begins behind it; nothing comes back."""
    broker = own_broker(**OFTEN)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"segment.bytes": "20000", "retention.bytes": "100000"})
        admin = AdminClient({"bootstrap.servers": broker.address})
        start = 0
        for round in range(4):
            for number in range(10):
                assert connection.produce("t", batch([bytes(5000)] * 2, timestamp=now_ms()))[0] == 0
            end = connection.list_offset("t", -1)[2]
            target = max(start, end - 7)
            (future,) = admin.delete_records([TopicPartition("t", 0, target)]).values()
            assert future.result(10).low_watermark == target
            start = connection.list_offset("t", -2)[2]
            assert start >= target
            assert connection.fetch_one("t", start - 1, max_wait=0).error == 1
            assert [place for place, _ in connection.fetch_one("t", start).values(start)][0] == start
    broker.restart(kill=True)
    assert start_and_end(broker, "t") == (start, end)


def test_a_topic_made_anew_shows_nothing_of_the_old_one(own_broker):
    broker = own_broker(**{**OFTEN, "log_segment_delete_delay_ms": 60_000})
    admin = AdminClient({"bootstrap.servers": broker.address})
    for turn in range(5):
        with Connection(broker) as connection:
            connection.create_topic("t", 2, {"segment.bytes": "5000", "retention.bytes": "10000"})
        assert start_and_end(broker, "t") == (0, 0)
        values = [Record(b"k", b"turn %d, %d" % (turn, number) + bytes(500), [], now_ms()) for number in range(100)]
        Confluent.write(broker, "t", 0, values, batch_num_messages="5")
        until(lambda: start_and_end(broker, "t")[0] > 0)
        start, end = start_and_end(broker, "t")
        (found,) = Confluent.read(broker, "t", {0: end - start}).values()
        assert all(record.value.startswith(b"turn %d," % turn) for record in found)
        if turn % 2:
            broker.restart(kill=True)
            assert start_and_end(broker, "t")[1] == end
        (future,) = admin.delete_topics(["t"]).values()
        future.result(10)
    broker.restart(kill=True)
    until(lambda: not list(broker.data.glob("t-*")))
