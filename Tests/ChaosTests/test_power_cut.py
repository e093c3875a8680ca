"""The machine loses its power under load: a real ext4 loses what had not reached the disk, and the broker starts from that."""

import re
import subprocess
import time

import pytest

import broker as conformance_broker
from checking import check_commits, check_nothing_lost, check_one_value_an_offset, check_order, lost, stored_records
from load import COMPRESSED, IDEMPOTENT, LEADER_ONLY, PLAIN, Consuming, Producing
from machine import power_cut_disk
from wire import Connection, batch

PARTITIONS = 2


def lose_power(broker, disk):
    """The disk and the broker go at the same time.

    The broker is stopped first: where the file system is shut down under an fdatasync that is on its way, Linux may call that
    done though the blocks were never entered. Nobody could be told so after a real power cut.
    """
    broker.stand_still()
    disk.cut_power()


def cut(broker, disk):
    """The power goes, if it has not gone yet, and comes back."""
    if not disk.is_cut:
        lose_power(broker, disk)
    broker.put_away()
    disk.power_on()
    broker.start()


def check_files(broker, topic):
    """The files themselves are sound: as they are, without a broker that would mend them at its stop."""
    broker.kill()
    for partition in range(PARTITIONS):
        done = subprocess.run(
            [conformance_broker.PROGRAM, "log", "verify", str(broker.data / f"{topic}-{partition}")],
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    broker.start()


def make_topic_and_produce(broker, topic):
    """A topic, made just before the power goes, and a few records; returns what was acknowledged: {offset: value}."""
    found = {}
    with Connection(broker) as connection:
        connection.create_topic(topic, 1)
        for number in range(5):
            value = b"%s %d" % (topic.encode(), number)
            error, offset, _ = connection.produce(topic, batch([value]))
            assert error == 0
            found[offset] = value
    return found


def check_fresh(broker, fresh):
    for topic, records in fresh.items():
        with Connection(broker) as connection:
            assert dict(connection.fetch_one(topic).values()) == records, f"{topic} is not what was acknowledged"


@pytest.mark.short
def test_fsync_loses_nothing_at_a_power_cut(broker_on, folder, at_work, rounds, chance, capsys):
    """durability=fsync, the default: whatever acks=all or a consumer was told is there; acks=1 may lose its last records."""
    count = rounds(short=1, long=15)
    losses = []
    with power_cut_disk(folder) as disk:
        broker = broker_on(disk.place / "data", log_segment_bytes=400_000).start()
        with Connection(broker) as connection:
            connection.create_topic("t", PARTITIONS)
        kinds = {"idempotent": IDEMPOTENT, "compressed": COMPRESSED, "plain": PLAIN}
        producers = [at_work(Producing(broker, folder, name, "t", PARTITIONS, kind)) for name, kind in kinds.items()]
        consumer = at_work(Consuming(broker, folder, "member", "readers", "t"))
        fresh = {}
        for number in range(count):
            topic = f"one-{number}"
            with Connection(broker) as connection:
                connection.create_topic(topic, PARTITIONS)
            leader_only = at_work(Producing(broker, folder, topic, topic, PARTITIONS, LEADER_ONLY))
            time.sleep(chance.uniform(0.4, 1.5))
            fresh[f"fresh-{number}"] = make_topic_and_produce(broker, f"fresh-{number}")
            with consumer.standing_still():
                lose_power(broker, disk)
                leader_only.kill()
                cut(broker, disk)
                check_commits(broker, [consumer])
            losses.append((len(lost(stored_records(broker, topic, PARTITIONS), leader_only)), len(leader_only.acknowledged)))
            check_fresh(broker, fresh)
        for producer in producers:
            producer.ask_to_end()
        for producer in producers:
            producer.end()
            assert (producer.failed, producer.left) == (0, 0), f"{producer}: {producer.error}"
        time.sleep(0.5)
        cut(broker, disk)
        check_files(broker, "t")
        stored = stored_records(broker, "t", PARTITIONS)
        check_nothing_lost(stored, producers)
        check_order(stored, producers)
        consumer.end()
        check_one_value_an_offset(stored, [consumer])
        assert check_commits(broker, [consumer])
        broker.stop()
    with capsys.disabled():
        records = sum(len(producer.acknowledged) for producer in producers)
        print(
            f"\n  {count} power cuts: {records} records acknowledged at acks=all are there;"
            f" lost of those at acks=1: {', '.join(f'{gone} of {all}' for gone, all in losses)}"
        )
    # The cut really takes what was not flushed: else nothing above would mean anything.
    assert sum(gone > 0 for gone, _ in losses) * 2 > count, f"the power cuts took nothing: {losses}"


def test_replicated_may_lose_its_last_records_at_a_power_cut(broker_on, folder, at_work, rounds, chance, capsys):
    """durability=replicated with one broker: the last records may go, those older than ottla.flush.ms.max may not."""
    flush_ms_max = 1000
    count = rounds(short=1, long=8)
    losses = []
    with power_cut_disk(folder) as disk:
        broker = broker_on(disk.place / "data", durability="replicated", ottla_flush_ms_max=flush_ms_max).start()
        for number in range(count):
            topic = f"t-{number}"
            with Connection(broker) as connection:
                connection.create_topic(topic, PARTITIONS)
            producer = at_work(Producing(broker, folder, topic, topic, PARTITIONS, IDEMPOTENT))
            time.sleep(2 * flush_ms_max / 1000 + 1 + chance.uniform(0.2, 1))
            old = producer.acknowledged
            # Flushed at that age, looked for four times a second; and the flush takes its time on a busy machine.
            time.sleep(2 * flush_ms_max / 1000)
            lose_power(broker, disk)
            producer.kill()
            cut(broker, disk)
            check_files(broker, topic)
            stored = stored_records(broker, topic, PARTITIONS)
            gone = lost(stored, producer)
            check_order(stored, [producer])
            assert not set(gone) & set(old), f"older than {2 * flush_ms_max} ms, and lost: {sorted(set(gone) & set(old))[:3]}"
            losses.append((len(gone), len(producer.acknowledged)))
        broker.stop()
    with capsys.disabled():
        print(f"\n  {count} power cuts, replicated: lost {', '.join(f'{gone} of {all}' for gone, all in losses)}")
    assert sum(gone > 0 for gone, _ in losses) * 2 > count, f"the power cuts took nothing: {losses}"


@pytest.mark.parametrize("durability", ["fsync", "replicated"])
def test_a_stop_in_order_needs_no_power_afterwards(broker_on, folder, at_work, durability):
    """After SIGTERM nothing is owed to the disk, in either mode, not even what acks=1 was told."""
    with power_cut_disk(folder) as disk:
        broker = broker_on(disk.place / "data", durability=durability).start()
        with Connection(broker) as connection:
            connection.create_topic("t", PARTITIONS)
        producer = at_work(Producing(broker, folder, "p", "t", PARTITIONS, LEADER_ONLY))
        time.sleep(1)
        producer.end()
        assert (producer.failed, producer.left) == (0, 0)
        broker.stop()
        disk.cut_power()
        disk.power_on()
        assert (broker.data / ".kafka_cleanshutdown").exists()
        broker.start()
        stored = stored_records(broker, "t", PARTITIONS)
        check_nothing_lost(stored, [producer])
        check_order(stored, [producer])
        broker.stop()
        assert not re.search(r" (warning|error) ", broker.log_text()), broker.log_text()
