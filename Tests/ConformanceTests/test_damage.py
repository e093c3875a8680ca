"""What a broker does when its folder is not as it left it, and when one question asks for very much."""

import shutil
import struct
import time

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from wire import Connection, batch

pytestmark = pytest.mark.one_node("sends requests by hand, or damages the one broker's files")

LOG = "00000000000000000000.log"


def fill(broker, topic, count):
    with Connection(broker) as connection:
        connection.create_topic(topic, 1)
        for number in range(count):
            assert connection.produce(topic, batch([b"record %d" % number]))[0] == 0


def end_offset(broker, topic):
    with Connection(broker) as connection:
        return connection.list_offset(topic, -1)[-1]


def test_a_folder_without_its_metadata_is_refused_and_left_alone(own_broker):
    broker = own_broker()
    fill(broker, "kept", 5)
    broker.stop()
    metadata = broker.data / "cluster-metadata"
    moved = broker.folder / "moved-metadata"
    shutil.move(metadata, moved)
    before = (broker.data / "kept-0" / LOG).read_bytes()
    assert before
    with pytest.raises(AssertionError, match="cluster-metadata"):
        broker.start()
    assert (broker.data / "kept-0" / LOG).read_bytes() == before
    shutil.rmtree(metadata, ignore_errors=True)
    shutil.move(moved, metadata)
    broker.start()
    assert end_offset(broker, "kept") == 5


def test_a_folder_that_the_cluster_does_not_know_is_set_aside(own_broker):
    broker = own_broker()
    fill(broker, "known", 1)
    broker.stop()
    shutil.copytree(broker.data / "known-0", broker.data / "stranger-0")
    broker.start()
    names = [entry.name for entry in broker.data.iterdir()]
    assert "stranger-0" not in names
    stray = [name for name in names if name.startswith("stranger-0.") and name.endswith("-stray")]
    assert len(stray) == 1
    assert (broker.data / stray[0] / LOG).read_bytes() == (broker.data / "known-0" / LOG).read_bytes()


def test_a_wide_topic_goes_without_a_trace(own_broker):
    broker = own_broker()
    fill(broker, "other", 1)
    admin = AdminClient({"bootstrap.servers": broker.address})
    for future in admin.create_topics([NewTopic("wide", 300, 1)], request_timeout=60).values():
        future.result()
    for future in admin.delete_topics(["wide"], request_timeout=60).values():
        future.result()
    with Connection(broker) as producer:
        assert producer.produce("other", batch([b"still here"]))[0] == 0
    broker.restart(kill=True)
    assert end_offset(broker, "other") == 2
    assert not [entry.name for entry in broker.data.iterdir() if entry.name.startswith("wide-") and not entry.name.endswith("-delete")]


def test_a_resource_named_many_times_is_described_once(broker, make_topic):
    topic = make_topic()
    names = struct.pack(">i", 20_000) + (b"\x02" + struct.pack(">h", len(topic)) + topic.encode() + struct.pack(">i", -1)) * 20_000
    with Connection(broker, timeout=10) as connection:
        reader = connection.ask(32, 2, names + b"\x01")
        reader.i32()
        assert reader.i32() == 1


def test_a_leader_epoch_that_was_told_is_known_after_crashes(own_broker):
    """Each unclean start begins an epoch; a consumer that was told of one may ask where it ended (KIP-320)."""
    broker = own_broker()
    fill(broker, "t", 1)
    for epoch in (1, 2):
        broker.restart(kill=True)
        with Connection(broker) as connection:
            for asked in range(epoch + 1):
                body = struct.pack(">ii", -1, 1) + b"\x00\x01t" + struct.pack(">iiii", 1, 0, -1, asked)
                reader = connection.ask(23, 3, body)
                reader.i32()
                assert reader.i32() == 1
                assert reader.string() == "t"
                assert (reader.i32(), reader.i16(), reader.i32()) == (1, 0, 0)
                assert reader.i32() >= 0
                assert reader.i64() == 1


def test_damage_in_a_young_log_that_was_flushed_is_passed_over(own_broker):
    """A log counts as unflushed until its first flush is noted: that is soon, and before the first checkpoint of the clock."""
    broker = own_broker(log_segment_bytes=2000)
    checkpoint = broker.data / "recovery-point-offset-checkpoint"
    assert checkpoint.read_text() == "0\n0\n"
    values = [b"record %d " % number + bytes(50) for number in range(80)]
    with Connection(broker) as connection:
        connection.create_topic("young", 1)
        for first in range(0, 80, 20):
            assert connection.produce("young", batch(values[first : first + 20]))[:2] == (0, first)
    deadline = time.monotonic() + 10
    while "young 0 " not in checkpoint.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert checkpoint.read_text().split("young 0 ")[1].split()[0] == "80"
    broker.kill()
    assert len(list((broker.data / "young-0").glob("*.log"))) > 2
    log = broker.data / "young-0" / LOG
    data = bytearray(log.read_bytes())
    data[100] ^= 1
    log.write_bytes(data)
    broker.start()
    assert end_offset(broker, "young") == 80
    with Connection(broker) as connection:
        answers = [connection.fetch_one("young", n, partition_bytes=1, max_wait=0, min_bytes=0) for n in range(20, 80)]
    assert [answer.values(n)[0] for n, answer in enumerate(answers, 20)] == list(enumerate(values))[20:]
    assert not list((broker.data / "young-0").glob("*.damaged*"))
