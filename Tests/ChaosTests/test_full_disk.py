"""A disk that fills up: records are refused so that clients try again, the rest goes on, and with room all goes on by itself."""

import contextlib
import os
import time

import pytest

import wire
from checking import check_commits, check_nothing_lost, check_one_value_an_offset, check_order, committed_offset, stored_records
from load import COMPRESSED, IDEMPOTENT, LEADER_ONLY, PLAIN, Consuming, Producing
from machine import small_disk
from wire import Connection, W, batch

KAFKA_STORAGE_ERROR = 56
DISK_MEGABYTES = 64
# Goes on within: space is measured each second, and deleted files go a few at a time.
ROOM_SECONDS_MAX = 10


def free_bytes(place):
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


class Ballast:
    """A file that takes a disk's room."""

    def __init__(self, place):
        self.place, self.path = place, place / "ballast"

    def take_all_but(self, byte_count):
        with open(self.path, "ab") as file:
            while (size := free_bytes(self.place) - byte_count) > 0:
                with contextlib.suppress(OSError):  # Others take room too.
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)

    def give_back(self):
        self.path.unlink()


def produce_until_refused(broker, topic, acknowledged, pause=0.0):
    """Records until one is refused; returns the error code."""
    with Connection(broker) as connection:
        for number in range(10_000):
            value = b"%d " % number + os.urandom(100_000)
            error, offset, _ = connection.produce(topic, batch([value]))
            if error:
                return error
            acknowledged[offset] = value
            time.sleep(pause)
    raise AssertionError("the disk does not fill up")


def produce_when_there_is_room(broker, topic, acknowledged):
    deadline = time.monotonic() + ROOM_SECONDS_MAX
    value = b"there is room"
    with Connection(broker) as connection:
        while True:
            error, offset, _ = connection.produce(topic, batch([value]))
            if error == 0:
                acknowledged[offset] = value
                return
            assert error == KAFKA_STORAGE_ERROR
            assert time.monotonic() < deadline, f"no records taken in spite of room\n{broker.log_text()[-2000:]}"
            time.sleep(0.05)


def check(broker, topic, acknowledged):
    found = {}
    with Connection(broker) as connection:
        start, end = (connection.list_offset(topic, which)[2] for which in (-2, -1))
        offset = start
        while offset < end:
            values = connection.fetch_one(topic, offset, partition_bytes=4 << 20).values(offset)
            found.update(values)
            offset = values[-1][0] + 1
    assert found == {offset: value for offset, value in acknowledged.items() if offset >= start}


def commit(connection, offset):
    body = W().string("g").i32(-1).string("").i64(-1).i32(1).string("t").i32(1).i32(0).i64(offset).string("").bytes
    reader = connection.ask(wire.OFFSET_COMMIT, 2, body)
    ((_, ((_, error),)),) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i16()))))
    return error


def commit_when_it_may(broker, offset):
    deadline = time.monotonic() + ROOM_SECONDS_MAX
    with Connection(broker) as connection:
        while error := commit(connection, offset):
            assert time.monotonic() < deadline, f"error {error}\n{broker.log_text()[-2000:]}"
            time.sleep(0.05)


def delete_topic(broker, topic):
    with Connection(broker) as connection:
        reader = connection.ask(wire.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(10_000).bytes)
        reader.i32()
        ((_, error),) = reader.array(lambda r: (r.string(), r.i16()))
    assert error == 0


def delete_records(broker, topic, before):
    with Connection(broker) as connection:
        body = W().i32(1).string(topic).i32(1).i32(0).i64(before).i32(5000).bytes
        reader = connection.ask(wire.DELETE_RECORDS, 1, body)
        reader.i32()
        ((_, ((_, start, error),)),) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i64(), p.i16()))))
    assert (error, start) == (0, before)


WATERMARKS = {"ottla_disk_free_bytes_low": 24 << 20, "ottla_disk_free_bytes_min": 12 << 20}
NO_WATERMARKS = {"ottla_disk_free_bytes_low": 0, "ottla_disk_free_bytes_min": 0}
both = pytest.mark.parametrize(
    "limits",
    [pytest.param(WATERMARKS, id="watermarks"), pytest.param(NO_WATERMARKS, id="ENOSPC", marks=pytest.mark.short)],
)


@both
def test_a_full_disk_refuses_records_until_there_is_room(broker_on, folder, limits):
    with small_disk(folder, DISK_MEGABYTES) as place:
        broker = broker_on(place / "data", log_segment_bytes=4 << 20, file_delete_delay_ms=0, **limits)
        broker.settings["log.segment.delete.delay.ms"] = "0"
        del broker.settings["file.delete.delay.ms"]
        broker.start()
        kept, doomed = {}, {}
        with Connection(broker) as connection:
            connection.create_topic("t")
            connection.create_topic("doomed")
        commit_when_it_may(broker, 1)
        with Connection(broker) as connection:
            for number in range(100):
                value = b"%d " % number + os.urandom(100_000)
                assert connection.produce("t", batch([value]))[:2] == (0, number)
                kept[number] = value
        # With watermarks slowly, for room is measured each second and not with each record.
        slowly = 0.02 if limits is WATERMARKS else 0
        assert produce_until_refused(broker, "doomed", doomed, slowly) == KAFKA_STORAGE_ERROR
        if limits is WATERMARKS:
            broker.wait_for_line("records are refused when it is less than 12 MiB")
            assert free_bytes(place) > 4 << 20, "the watermark leaves room"
        else:
            broker.wait_for_line("is full: records are refused until there is room")
        # Every folder's producers are refused; readers are not, nor is who asks what there is.
        with Connection(broker) as connection:
            assert connection.produce("t", batch([bytes(100_000)]))[0] == KAFKA_STORAGE_ERROR
            assert connection.metadata(["t", "doomed"])["t"][0] == 0
            assert connection.list_offset("t", -1)[::2] == (0, 100)
        check(broker, "t", kept)
        check(broker, "doomed", doomed)
        assert committed_offset(broker, "g", "t", 0) == 1
        if limits is WATERMARKS:
            # What the watermark keeps free is for coordinators and metadata.
            commit_when_it_may(broker, 2)
            with Connection(broker) as connection:
                connection.create_topic("made-meanwhile")
        # It is the same after a start on the full disk, after a kill and after a stop.
        for kill in (True, False):
            broker.restart(kill)
            check(broker, "t", kept)
            check(broker, "doomed", doomed)
            deadline = time.monotonic() + ROOM_SECONDS_MAX
            with Connection(broker) as connection:
                while (answer := connection.produce("doomed", batch([os.urandom(1_000_000)])))[0] == 0:
                    assert time.monotonic() < deadline
                    doomed.update(connection.fetch_one("doomed", answer[1]).values())
            assert answer[0] == KAFKA_STORAGE_ERROR
        # Room by deleting records first, then by deleting the topic.
        before = free_bytes(place)
        delete_records(broker, "doomed", max(doomed) - 5)
        for topic, records in (("t", kept), ("doomed", doomed)):
            produce_when_there_is_room(broker, topic, records)
        assert free_bytes(place) > before
        assert produce_until_refused(broker, "doomed", doomed, slowly) == KAFKA_STORAGE_ERROR
        check(broker, "doomed", doomed)
        delete_topic(broker, "doomed")
        produce_when_there_is_room(broker, "t", kept)
        commit_when_it_may(broker, 3)
        broker.restart(kill=True)
        check(broker, "t", kept)
        assert committed_offset(broker, "g", "t", 0) == 3
        broker.stop()


@pytest.mark.parametrize("limits", [WATERMARKS, NO_WATERMARKS], ids=["watermarks", "ENOSPC"])
def test_clients_live_through_a_disk_that_is_full_now_and_then(broker_on, folder, at_work, rounds, chance, limits, capsys):
    """Producers try again until there is room: nothing is lost, and of the idempotent ones nothing is there twice."""
    partitions = 3
    with small_disk(folder, 512) as place:
        broker = broker_on(place / "data", log_segment_bytes=1_000_000, **limits).start()
        ballast = Ballast(place)
        with Connection(broker) as connection:
            connection.create_topic("t", partitions)
            connection.create_topic("marks")
        kinds = {"idempotent": IDEMPOTENT, "compressed": COMPRESSED, "plain": PLAIN, "leader": LEADER_ONLY}
        producers = [at_work(Producing(broker, folder, name, "t", partitions, kind)) for name, kind in kinds.items()]
        consumer = at_work(Consuming(broker, folder, "member", "readers", "t"))
        count = rounds(short=2, long=100) // 5 or 1
        for number in range(count):
            time.sleep(chance.uniform(0.3, 1))
            refused = broker.log_text().count("records are refused until there")
            ballast.take_all_but(chance.randrange(0, 300_000))
            deadline = time.monotonic() + 15
            while broker.log_text().count("records are refused until there") == refused:
                assert time.monotonic() < deadline, "the disk did not get full"
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 1))
            if number % 3 == 2:
                broker.kill()
                broker.start()
                time.sleep(chance.uniform(0, 1))
            ballast.give_back()
            produce_when_there_is_room(broker, "marks", {})
        for producer in producers:
            producer.ask_to_end()
        for producer in producers:
            producer.end()
            assert (producer.failed, producer.left) == (0, 0), f"{producer}: {producer.error}"
        time.sleep(0.5)
        broker.restart(kill=True)
        stored = stored_records(broker, "t", partitions)
        check_nothing_lost(stored, producers)
        check_order(stored, producers, some_were_refused=True)
        consumer.end()
        check_one_value_an_offset(stored, [consumer])
        assert check_commits(broker, [consumer])
        broker.stop()
    with capsys.disabled():
        print(f"\n  full {count} times: {sum(len(p.acknowledged) for p in producers)} acknowledged records are there")
