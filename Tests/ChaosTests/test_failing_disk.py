"""Reads and writes of the disk fail: what was promised before stays, nothing is promised afterwards, nothing is tried again."""

import threading
import time

import pytest

from attempts import KAFKA_STORAGE_ERROR, Attempts, describe_log_dirs, folders_of, topic_over_both
from checking import check_nothing_lost, stored_records
from load import IDEMPOTENT, Producing
from machine import Tracer, power_cut_disk, remount, small_disk
from wire import Closed, Connection, W, batch

LOG = "0" * 20 + ".log"

# Which call fails, how, and how large the records are that need it. A flush that finds no room has lost what it was to
# bring to the disk, unlike a write.
FAILURES = {
    "fdatasync": ("fdatasync", "EIO", 100),
    "fdatasync-ENOSPC": ("fdatasync", "ENOSPC", 100),
    "pwrite": ("pwrite64", "EIO", 100),
    "pwritev": ("pwritev", "EIO", 20_000),
}
every_failure = pytest.mark.parametrize("failure", FAILURES)


@pytest.mark.short
@every_failure
def test_the_second_folder_fails_and_the_first_goes_on(broker_on, folder, failure):
    call, error, value_bytes = FAILURES[failure]
    broker = broker_on(folder / "a", folder / "b").start()
    first, second = topic_over_both(broker)
    good, bad = (Attempts(broker, "t", partition, value_bytes) for partition in (first, second))
    assert (good.send(20), bad.send(20)) == (0, 0)
    broker.restart()
    with Tracer(folder, broker.pid, f"error={error}", call, broker.log_dirs[1] / f"t-{second}" / LOG) as tracer:
        assert bad.send() == KAFKA_STORAGE_ERROR
        before = len(bad.acknowledged)
        assert [bad.send(1) for _ in range(5)] == [KAFKA_STORAGE_ERROR] * 5
        assert len(tracer.injected()) == 1, f"tried again: {tracer.injected()}"
    # Also once nothing fails any more: the folder is given up until a restart.
    assert bad.send(1) == KAFKA_STORAGE_ERROR
    broker.wait_for_line(f"{broker.log_dirs[1]} is given up until a restart")
    assert good.send(50) == 0
    found = describe_log_dirs(broker)
    assert found[str(broker.log_dirs[0])][0] == 0
    assert found[str(broker.log_dirs[1])][0] == KAFKA_STORAGE_ERROR
    # Every partition of the failed folder is offline, and none of the other.
    for partition, number in folders_of(broker, "t").items():
        answer = Attempts(broker, "t", partition).send(1)
        assert answer == (KAFKA_STORAGE_ERROR if number else 0), f"partition {partition}: {answer}"
    # New partitions go where a disk works.
    with Connection(broker) as connection:
        connection.create_topic("later", 4)
    assert set(folders_of(broker, "later").values()) == {0}
    assert [Attempts(broker, "later", partition).send(1) for partition in range(4)] == [0] * 4
    assert len(bad.acknowledged) == before
    good.check()
    broker.stop()
    assert not (broker.log_dirs[1] / ".kafka_cleanshutdown").exists(), "the failed folder has to be checked"
    broker.start()
    good.check()
    bad.check()
    assert bad.send(5) == 0
    bad.check()
    broker.stop()


@every_failure
@pytest.mark.parametrize("folder_count", [1, 2])
def test_a_broker_without_its_first_folder_ends_and_says_why(broker_on, folder, failure, folder_count):
    call, error, value_bytes = FAILURES[failure]
    broker = broker_on(*[folder / name for name in "ab"[:folder_count]]).start()
    if folder_count == 2:
        partition, _ = topic_over_both(broker)
    else:
        partition = 0
        with Connection(broker) as connection:
            connection.create_topic("t", 1)
    attempts = Attempts(broker, "t", partition, value_bytes)
    assert attempts.send(20) == 0
    tracer = Tracer(folder, broker.pid, f"error={error}", call, broker.log_dirs[0] / f"t-{partition}" / LOG)
    assert attempts.send() in (KAFKA_STORAGE_ERROR, None)
    assert broker.wait_for_end() == 1
    tracer.stop()
    assert len(tracer.injected()) == 1, f"tried again: {tracer.injected()}"
    reason = "it holds the cluster's metadata" if folder_count == 2 else "no data folder is left"
    assert reason in broker.log_text().splitlines()[-1], broker.log_text()
    broker.start()
    attempts.check()
    assert attempts.send(5) == 0
    broker.stop()


def test_the_metadata_log_cannot_be_synced(broker_on, folder):
    broker = broker_on().start()
    with Connection(broker) as connection:
        connection.create_topic("before", 1)
    attempts = Attempts(broker, "before", 0)
    assert attempts.send(20) == 0
    tracer = Tracer(folder, broker.pid, "error=EIO", "fdatasync", broker.data / "cluster-metadata/metadata.log")
    with Connection(broker) as connection:
        body = W().i32(1).string("after").i32(1).i16(1).i32(0).i32(0).i32(10_000).i8(0).bytes
        try:
            reader = connection.ask(19, 4, body)
            reader.i32()
            ((_, error, _),) = reader.array(lambda r: (r.string(), r.i16(), r.string()))
            assert error == KAFKA_STORAGE_ERROR
        except Closed:
            pass
    assert broker.wait_for_end() == 1
    tracer.stop()
    assert len(tracer.injected()) == 1
    assert "no data folder is left" in broker.log_text().splitlines()[-1]
    broker.start()
    attempts.check()
    with Connection(broker) as connection:
        # The change that was refused may be there or not: nobody knows what that sync did.
        assert connection.metadata(["before"])["before"][0] == 0
    broker.stop()


def test_a_flush_of_many_files_fails(broker_on, folder):
    """From 128 files on, one syncfs takes the place of their syncs."""
    broker = broker_on(ottla_shards=2).start()
    partitions = 400
    with Connection(broker) as connection:
        connection.create_topic("t", partitions)
        for partition in range(partitions):
            assert connection.produce("t", batch([b"before"]), partition)[0] == 0
    tracer = Tracer(folder, broker.pid, "error=EIO", "syncfs")
    refused = []
    with Connection(broker) as connection:
        body = W().string(None).i16(-1).i32(10_000).i32(1).string("t").i32(partitions)
        for partition in range(partitions):
            body.i32(partition).data(batch([b"refused"]))
        try:
            reader = connection.ask(0, 7, body.bytes)
            assert reader.i32() == 1
            reader.string()
            for _ in range(reader.i32()):
                reader.i32()
                refused.append(reader.i16())
                reader.i64(), reader.i64(), reader.i64()
            assert set(refused) == {KAFKA_STORAGE_ERROR} and len(refused) == partitions
        except Closed:
            pass
    assert broker.wait_for_end() == 1
    tracer.stop()
    assert len(tracer.injected()) == 1, f"tried again, or never tried: {tracer.injected()}"
    broker.start()
    with Connection(broker) as connection:
        for partition in range(partitions):
            assert connection.fetch_one("t", 0, partition).values()[0] == (0, b"before")
    broker.stop()


def test_a_new_topics_folder_cannot_be_synced(broker_on, folder):
    """Without its name on the disk a new log's records are not safe: the first acknowledgement waits for that too."""
    broker = broker_on().start()
    with Connection(broker) as connection:
        connection.create_topic("t", 1)
    attempts = Attempts(broker, "t", 0)
    tracer = Tracer(folder, broker.pid, "error=EIO", "fsync")
    assert attempts.send(1) in (KAFKA_STORAGE_ERROR, None)
    assert not attempts.acknowledged
    assert broker.wait_for_end() == 1
    tracer.stop()
    assert tracer.injected()
    broker.start()
    assert attempts.send(3) == 0
    broker.stop()


@pytest.mark.parametrize("call", ["openat", "fallocate", "ftruncate", "renameat,rename,renameat2", "unlink,unlinkat"])
def test_other_calls_fail_in_the_second_folder(broker_on, folder, call):
    """Whatever fails, and however often: the broker lives, and nothing acknowledged is lost."""
    broker = broker_on(
        folder / "a", folder / "b", log_segment_bytes=20_000, log_retention_check_interval_ms=200,
        log_retention_bytes=100_000, log_retention_ms=-1, log_segment_delete_delay_ms=0,
    ).start()
    first, second = topic_over_both(broker)
    good, bad = (Attempts(broker, "t", partition) for partition in (first, second))
    assert (good.send(100), bad.send(100)) == (0, 0)
    with Tracer(folder, broker.pid, "error=EIO:when=3+5", call, None):
        for _ in range(10):
            if broker.has_ended():
                break
            bad.send(100)
            good.send(100)
            time.sleep(0.05)
    if broker.has_ended():
        assert broker.wait_for_end() == 1, broker.log_text()[-3000:]
        assert "could not go on" in broker.log_text().splitlines()[-1]
    else:
        broker.stop()
    broker.start()
    good.check()
    bad.check()
    assert (good.send(5), bad.send(5)) == (0, 0)
    broker.stop()


def test_a_disk_that_is_gone_takes_only_its_folder(broker_on, folder):
    """A whole file system fails under load, as when a disk is pulled: the other folder serves."""
    with power_cut_disk(folder) as disk:
        broker = broker_on(folder / "a", disk.place / "b").start()
        first, second = topic_over_both(broker)
        good, bad = Attempts(broker, "t", first), Attempts(broker, "t", second)
        assert (good.send(20), bad.send(20)) == (0, 0)
        with Connection(broker) as connection:
            connection.create_topic("load", 1)
        on_first = folders_of(broker, "load")[0] == 0
        results = []
        thread = threading.Thread(target=lambda: results.append(bad.send()))
        thread.start()
        time.sleep(0.5)
        disk.cut_power()
        thread.join(20)
        assert results == [KAFKA_STORAGE_ERROR]
        broker.wait_for_line("is given up until a restart")
        assert good.send(100) == 0
        assert Attempts(broker, "load", 0).send(1) == (0 if on_first else KAFKA_STORAGE_ERROR)
        broker.stop()
        disk.power_on()
        broker.start()
        good.check()
        bad.check()
        assert bad.send(10) == 0
        broker.stop()


def test_producers_go_on_where_the_disk_works(broker_on, folder, at_work):
    """A real producer with records for both folders: those of the one that works are acknowledged, the others are not."""
    broker = broker_on(folder / "a", folder / "b").start()
    with Connection(broker) as connection:
        connection.create_topic("t", 8)
    places = folders_of(broker, "t")
    assert set(places.values()) == {0, 1}
    bad = min(partition for partition, number in places.items() if number == 1)
    settings = {**IDEMPOTENT, "message.timeout.ms": 4000, "enable.idempotence": False, "max.in.flight": 1}
    producer = at_work(Producing(broker, folder, "p", "t", 8, settings))
    time.sleep(1)
    with Tracer(folder, broker.pid, "error=EIO", "fdatasync", broker.log_dirs[1] / f"t-{bad}" / LOG):
        time.sleep(1.5)
    producer.end()
    assert producer.failed > 0 and producer.left == 0
    last = {number: max(a.number for a in producer.acknowledged if places[a.partition] == number) for number in (0, 1)}
    assert last[0] > last[1] + 500, f"the first folder went on, the second did not: {last}"
    broker.restart()
    check_nothing_lost(stored_records(broker, "t", 8), [producer])
    broker.stop()


def test_a_folder_that_cannot_be_written_keeps_the_broker_from_starting(broker_on, folder):
    """Read-only at the start: the broker says which folder it is, and starts once that is put right."""
    with small_disk(folder, 64) as place:
        broker = broker_on(folder / "a", place / "b").start()
        first, second = topic_over_both(broker)
        good, bad = Attempts(broker, "t", first), Attempts(broker, "t", second)
        assert (good.send(20), bad.send(20)) == (0, 0)
        broker.stop()
        remount(place, "ro")
        with pytest.raises(AssertionError, match=f"Read-only|{place}/b"):
            broker.start()
        assert str(place / "b") in broker.log_text().splitlines()[-1]
        remount(place, "rw")
        broker.start()
        good.check()
        bad.check()
        assert (good.send(5), bad.send(5)) == (0, 0)
        broker.stop()
