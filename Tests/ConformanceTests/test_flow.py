"""Clients that send without pause, or read slowly, or not at all: memory stays bounded and others are served."""

import os
import struct
import threading
import time

import pytest

import wire as kafka
from wire import Closed, Connection, batch

MEGABYTE = 1 << 20


@pytest.fixture
def quiet(own_broker):
    """A broker of its own, so that what others have left in memory does not count."""
    return own_broker(num_partitions=1)


def watch_memory(broker, work, every=0.02):
    """Runs `work` and returns the most memory that the broker occupied meanwhile, above what it had before."""
    before = broker.resident_bytes()
    peak = before
    done = threading.Event()

    def watch():
        nonlocal peak
        while not done.is_set():
            peak = max(peak, broker.resident_bytes())
            time.sleep(every)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return max(peak, broker.resident_bytes()) - before


def test_a_stream_without_pause_is_not_kept_in_memory(quiet):
    """Requests one behind the other: the end of what has come is never the end of a request."""
    with Connection(quiet) as connection:
        connection.create_topic("stream")
        body = Connection.produce_body("stream", batch([bytes(300_000)]), acks=0)
        frame = Connection.header(kafka.PRODUCE, 7, 1) + body
        frames = (struct.pack(">i", len(frame)) + frame) * 8
        # Cut so that no piece ends where a request ends.
        stream = frames[100_000:] + frames[:100_000]

        def work():
            connection.send_raw(frames[:100_000])
            for _ in range(200):
                connection.send_raw(stream)
            connection.send_raw(frames[100_000:])
            connection.send(kafka.API_VERSIONS, 0)
            connection.receive()

        # 480 megabytes go through.
        assert watch_memory(quiet, work) < 128 * MEGABYTE
        assert connection.list_offset("stream", -1)[2] == 201 * 8
        assert connection.fetch_one("stream", 0, max_bytes=1, partition_bytes=1).high_watermark == 201 * 8


def test_a_client_that_never_reads_is_held_back(quiet):
    """Questions without end, and nobody takes the answers."""
    with Connection(quiet, timeout=3, receive_buffer=4096) as connection:
        frame = Connection.header(kafka.API_VERSIONS, 0, 1)
        frames = (struct.pack(">i", len(frame)) + frame) * 1000
        sent = 0

        def work():
            nonlocal sent
            try:
                for _ in range(4000):
                    connection.send_raw(frames)
                    sent += 1000
            except (TimeoutError, Closed):
                pass

        assert watch_memory(quiet, work) < 32 * MEGABYTE
        assert sent < 4_000_000, "the broker took everything"
        with Connection(quiet) as other:
            assert other.api_versions()[0] == 0


def test_slow_readers_of_much_data(quiet):
    """Twenty clients ask for 400 megabytes and take a few bytes of it; one of them then takes all, and it is whole."""
    with Connection(quiet) as connection:
        connection.create_topic("much", 1)
        block = batch([b"%06d" % number + bytes(60_000) for number in range(10)])
        for _ in range(40):
            assert connection.produce("much", block)[0] == 0
    slow = [Connection(quiet, receive_buffer=8192) for _ in range(20)]

    def work():
        for connection in slow:
            for _ in range(20):
                connection.send(kafka.FETCH, 11, Connection.fetch_body([("much", 0, 0)], partition_bytes=30 * MEGABYTE))
        for connection in slow:
            assert len(connection._receive(1000)) == 1000
        time.sleep(0.5)

    try:
        assert watch_memory(quiet, work) < 64 * MEGABYTE
        with Connection(quiet) as other:
            assert len(other.fetch_one("much", partition_bytes=MEGABYTE).values()) >= 10
    finally:
        for connection in slow:
            connection.close()
    with Connection(quiet) as patient:
        for _ in range(5):
            patient.send(kafka.FETCH, 11, Connection.fetch_body([("much", 0, 0)], partition_bytes=30 * MEGABYTE))
        time.sleep(0.2)
        for _ in range(5):
            error, _, answer = Connection.fetched(patient.receive()[1])
            values = answer["much", 0].values()
            assert error == 0
            assert [offset for offset, _ in values] == list(range(400))
            assert all(value[:6] == b"%06d" % (offset % 10) for offset, value in values)


def test_clients_that_vanish_leave_nothing_behind(quiet):
    with Connection(quiet) as connection:
        connection.create_topic("vanish")

    def work():
        for _ in range(300):
            connection = Connection(quiet)
            connection.send(kafka.FETCH, 11, Connection.fetch_body([("vanish", 0, 0)], max_wait=60_000))
            connection.send_raw(b"\0\0\1\0half a request")
            connection.close()

    assert watch_memory(quiet, work) < 24 * MEGABYTE
    time.sleep(0.2)
    assert len(os.listdir(f"/proc/{quiet.pid}/fd")) < 60
    with Connection(quiet) as connection:
        assert connection.produce("vanish", batch([b"x"]))[0] == 0
