"""Limits that the configuration sets: age and size of logs, idle connections, how many there may be."""

import time

import pytest

import wire as kafka
from broker import Broker
from clients import Confluent
from wire import Closed, Connection, batch


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def test_old_records_go(own_broker):
    """retention.ms, also for what lies in the segment that is being written."""
    broker = own_broker(log_retention_check_interval_ms=100)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"retention.ms": "700", "segment.ms": "300", "file.delete.delay.ms": "0"})
        now = int(time.time() * 1000)
        assert connection.produce("t", batch([b"old"], timestamp=now))[0] == 0
        until(lambda: connection.list_offset("t", -2)[2] == 1)
        assert connection.list_offset("t", -1)[2] == 1, "offsets go on"
        assert connection.fetch_one("t", 0, max_wait=0).error == 1
        assert connection.produce("t", batch([b"new"], timestamp=int(time.time() * 1000)))[:2] == (0, 1)
        assert connection.fetch_one("t", 1).values() == [(1, b"new")]


def test_a_time_in_the_future_does_not_keep_records(own_broker):
    broker = own_broker(log_retention_check_interval_ms=100)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"retention.ms": "700", "segment.ms": "300"})
        future = int(time.time() * 1000) + 3_000_000
        assert connection.produce("t", batch([b"future"], timestamp=future))[0] == 0
        until(lambda: connection.list_offset("t", -2)[2] == 1)


def test_old_times_are_not_deleted_at_once(own_broker):
    """librdkafka's tests write records of 2001 and read them back: Kafka looks for old ones every five minutes."""
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
        assert connection.produce("t", batch([b"2001"], timestamp=1_000_000_000_000))[0] == 0
        time.sleep(1)
        assert connection.fetch_one("t").values() == [(0, b"2001")]


def test_large_logs_are_cut(own_broker):
    broker = own_broker(log_retention_check_interval_ms=100)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"retention.bytes": "300000", "segment.bytes": "100000", "file.delete.delay.ms": "0"})
        now = int(time.time() * 1000)
        for number in range(100):
            assert connection.produce("t", batch([b"%d" % number + bytes(10_000)], timestamp=now))[0] == 0
        until(lambda: connection.list_offset("t", -2)[2] >= 60)
        start = connection.list_offset("t", -2)[2]
        assert start <= 75
        # A reader sees all that is left, in order.
        offset = start
        while offset < 100:
            for place, value in connection.fetch_one("t", offset).values(offset):
                assert (place, value[: len(str(place))]) == (offset, b"%d" % offset)
                offset += 1
        until(lambda: sum(path.stat().st_size for path in (broker.data / "t-0").glob("*.log*")) < 450_000)
    broker.restart()
    with Connection(broker) as connection:
        assert connection.list_offset("t", -2)[2] == start


def test_a_reader_of_a_deleted_segment_is_told(own_broker):
    broker = own_broker(log_retention_check_interval_ms=100)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"retention.bytes": "1", "segment.bytes": "50000"})
        now = int(time.time() * 1000)
        for _ in range(20):
            assert connection.produce("t", batch([bytes(10_000)], timestamp=now))[0] == 0
        until(lambda: connection.list_offset("t", -2)[2] > 0)
    start = Confluent.read(broker, "t", {0: 1})[0][0].offset
    with Connection(broker) as connection:
        assert start == connection.list_offset("t", -2)[2]


def test_idle_connections_are_closed(own_broker):
    broker = own_broker(connections_max_idle_ms=500)
    with Connection(broker) as idle, Connection(broker) as busy:
        started = time.monotonic()
        while time.monotonic() - started < 1.5:
            assert busy.api_versions()[0] == 0
            time.sleep(0.1)
        idle.expect_closed()
        assert busy.api_versions()[0] == 0


def test_a_waiting_fetch_is_not_idle(own_broker):
    broker = own_broker(connections_max_idle_ms=500)
    with Connection(broker) as connection:
        connection.create_topic("t")
        assert connection.fetch_one("t", max_wait=1500).values() == []


def test_connections_are_bounded(own_broker):
    broker = own_broker(max_connections_per_ip=5)
    held = [Connection(broker) for _ in range(5)]
    for connection in held:
        assert connection.api_versions()[0] == 0
    with pytest.raises(Closed):
        with Connection(broker) as sixth:
            sixth.api_versions()
    held.pop().close()

    def admitted():
        try:
            with Connection(broker) as again:
                return again.api_versions()[0] == 0
        except Closed:
            return False

    until(admitted)
    for connection in held:
        connection.close()


def test_requests_larger_than_the_limit(own_broker):
    broker = own_broker(socket_request_max_bytes=1_000_000)
    with Connection(broker) as connection:
        connection.create_topic("t", 1, {"max.message.bytes": "5000000"})
        assert connection.produce("t", batch([bytes(900_000)]))[0] == 0
    with Connection(broker) as connection:
        with pytest.raises(Closed):
            connection.send(kafka.PRODUCE, 7, Connection.produce_body("t", batch([bytes(1_100_000)])))
            connection.receive()


def test_few_descriptors_are_enough_for_many_partitions(tmp_path):
    """A limit of 256 open files: segment files and connections share it, at a start as well."""
    broker = Broker(tmp_path)
    plain = broker.command
    broker.command = lambda: ["bash", "-c", 'ulimit -n 256 && exec "$@"', "limited"] + plain()
    broker.start()
    with Connection(broker) as connection:
        connection.create_topic("t", 300, {"segment.bytes": "300"})
        for turn in range(2):
            for partition in range(300):
                assert connection.produce("t", batch([bytes(200)]), partition, acks=1)[:2] == (0, turn)
    broker.restart(kill=True)
    held = [Connection(broker) for _ in range(80)]
    for partition in range(300):
        connection = held[partition % 80]
        assert connection.list_offset("t", -1, partition)[0::2] == (0, 2)
        assert connection.produce("t", batch([b"last"]), partition)[:2] == (0, 2)
    for connection in held:
        connection.close()
    broker.stop()
    log = broker.log.read_text()
    assert "leaves room for 84 segment files" in log and "too many open files" not in log
