"""Three brokers, and bits that flip on their disks: whoever reads gets what was written, from whichever replica.

What is in memory is sent without a look at its checksums: the test needs a file system whose pages the kernel lets go when it
is asked to (an overlay's stay), so it is one of `make chaos`.
"""

import os
import time

import confluent_kafka
import pytest

import zookeeper
from cluster import running_cluster
from processes import wait_until

pytestmark = pytest.mark.skipif(not zookeeper.is_installed(), reason="ZooKeeper is not installed (scripts/packages cluster)")

TOPIC, COUNT = "rotting", 400


def value(number):
    return b"%d " % number + bytes([number % 251]) * 997


def segments(broker):
    """The closed segments of the partition."""
    return sorted((broker.data / f"{TOPIC}-0").glob("*.log"))[:-1]


def flip(path, place):
    """Flips a bit, and sees to it that the next reader asks the disk."""
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x20]))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def forget(broker):
    """Takes the partition's files out of memory."""
    for path in segments(broker):
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def lose_end(broker):
    """Half of the newest segment goes: records that were on the disk, and acknowledged."""
    newest = max((broker.data / f"{TOPIC}-0").glob("*.log"))
    os.truncate(newest, newest.stat().st_size // 2)


def read(bootstrap):
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True, "log_level": 0,
            "check.crcs": True, "fetch.error.backoff.ms": 100,
        }
    )
    try:
        consumer.assign([confluent_kafka.TopicPartition(TOPIC, 0, confluent_kafka.OFFSET_BEGINNING)])
        values, errors, deadline = [], [], time.monotonic() + 90
        while True:
            assert time.monotonic() < deadline, f"{len(values)} records came"
            for message in consumer.consume(1000, 0.5):
                if message.error() is None:
                    assert message.offset() == len(values), "a record was passed over"
                    values.append(message.value())
                    continue
                errors.append((message.offset(), str(message.error())))
                if message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    assert message.offset() == COUNT, errors
                    return values
    finally:
        consumer.close()


def contents(broker):
    return [(path.name, path.read_bytes()) for path in segments(broker)]


def test_flipped_bits_and_lost_ends_are_made_whole(tmp_path):
    with running_cluster(tmp_path / "cluster", settings={"log.segment.bytes": 50_000, "replica.fetch.backoff.ms": 200}) as cluster:
        cluster.create_topic(TOPIC, 1)
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "batch.num.messages": 5, "linger.ms": 1}
        )
        for number in range(COUNT):
            producer.produce(TOPIC, value(number), partition=0)
            if number % 5 == 4:
                producer.flush(30)
        assert producer.flush(30) == 0
        cluster.wait_until_whole()
        sound = contents(cluster.broker(1))
        assert len(sound) > 5 and all(contents(broker) == sound for broker in cluster.brokers)

        # While all run: the leader in one place, a follower in another.
        leader = cluster.leader(TOPIC)
        follower, third = [broker for broker in cluster.brokers if broker is not leader]
        flip(segments(leader)[1], 20_000)
        flip(segments(leader)[3], 100)
        assert read(cluster.bootstrap) == [value(number) for number in range(COUNT)]
        wait_until(lambda: contents(leader) == sound, 30, lambda: f"the leader is whole\n{leader.log_end()}")

        # While one is away: a bit, a segment that ends too early, and one that is gone; at its start it misses what it had.
        follower.stop()
        flip(segments(follower)[2], 30_000)
        with open(segments(follower)[4], "r+b") as file:
            file.truncate(21_000)
        lose_end(follower)
        follower.start()
        cluster.wait_until_whole()
        cut = segments(follower)[4]
        wait_until(lambda: cut.read_bytes() == sound[4][1], 60, lambda: f"the cut segment is whole\n{follower.log_end()}")

        # The others go: what is served now is what the follower has.
        for broker in (leader, third):
            broker.stop()
        cluster.wait_for(lambda seen: seen.of(TOPIC)[0].leader == follower.number, "the follower leads", topics=[TOPIC])
        for broker in (leader, third):
            broker.start()
        cluster.wait_until_whole()
        # The scrub comes later; reading from the disk finds what is left.
        forget(follower)
        assert read(cluster.bootstrap) == [value(number) for number in range(COUNT)]
        wait_until(
            lambda: all(contents(broker) == sound for broker in cluster.brokers), 60,
            lambda: f"all are whole\n{cluster.logs_end()}",
        )

        # Whoever leads is killed and loses its end; back before anybody misses it, it does not lead with less.
        leader = cluster.leader(TOPIC)
        leader.kill()
        lose_end(leader)
        leader.start()
        cluster.wait_until_whole()
        assert read(cluster.bootstrap) == [value(number) for number in range(COUNT)]
