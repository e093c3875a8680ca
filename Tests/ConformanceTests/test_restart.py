"""After a restart, in order or by SIGKILL, everything that was acknowledged is there."""

import subprocess
import threading
import time

import confluent_kafka
import kafka
import pytest

import broker as broker_module
import wire as kafka_wire
from clients import CODECS, Confluent, KafkaPython, Record, records
from members import ConfluentMember, settle, wait_for
from wire import Closed, Connection, W, batch

both_ways = pytest.mark.parametrize("kill", [False, True], ids=["SIGTERM", "SIGKILL"])

OUT_OF_ORDER, INVALID_EPOCH = 45, 47


def configs(connection, topic):
    """{name: (value, source)} of a topic's configs that are not defaults."""
    body = W().i32(1).i8(2).string(topic).i32(-1).i8(0).bytes
    reader = connection.ask(kafka_wire.DESCRIBE_CONFIGS, 1, body)
    reader.i32()
    assert reader.i32() == 1
    assert reader.i16() == 0
    reader.string()
    reader.i8()
    reader.string()
    found = {}
    for _ in range(reader.i32()):
        name, value = reader.string(), reader.string()
        reader.i8()
        source = reader.i8()
        reader.i8()
        reader.array(lambda r: (r.string(), r.string(), r.i8()))
        if source == 1:
            found[name] = value
    return found


@both_ways
def test_records_of_every_codec_stay(own_broker, kill):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t", len(CODECS))
    sent = records()
    for partition, codec in enumerate(CODECS):
        Confluent.write(broker, "t", partition, list(sent), codec)
    broker.restart(kill)
    counts = {partition: len(sent) for partition in range(len(CODECS))}
    for client in (Confluent, KafkaPython):
        found = client.read(broker, "t", counts)
        for partition in counts:
            assert [r.content for r in found[partition]] == [r.content for r in sent]
            assert [r.timestamp for r in found[partition]] == [r.timestamp for r in sent]
            assert [r.offset for r in found[partition]] == list(range(len(sent)))
    # It goes on where it was.
    assert Confluent.write(broker, "t", 0, [Record(None, b"more")]) == [len(sent)]


@both_ways
def test_topics_ids_configs_and_cluster_stay(own_broker, kill):
    broker = own_broker()

    def cluster(connection):
        reader = connection.ask(kafka_wire.METADATA, 2, W().i32(0).bytes)
        reader.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))
        return reader.string()

    wanted = {"cleanup.policy": "compact", "segment.bytes": "123456", "max.message.bytes": "77777"}
    with Connection(broker) as connection:
        connection.create_topic("plain", 3)
        connection.create_topic("configured", 5, wanted)
        connection.create_topic("gone", 1)
        connection.ask(kafka_wire.DELETE_TOPICS, 1, W().i32(1).string("gone").i32(5000).bytes)
        before = connection.metadata(None), configs(connection, "configured"), configs(connection, "plain"), cluster(connection)
    assert before[1] == wanted
    assert before[2] == {}
    assert {name: count for name, (_, _, count) in before[0].items()} == {"plain": 3, "configured": 5}
    assert before[3]
    for _ in range(3):
        broker.restart(kill)
        with Connection(broker) as connection:
            after = connection.metadata(None), configs(connection, "configured"), configs(connection, "plain"), cluster(connection)
        assert after == before
    # What was deleted does not come back on the disk either.
    deadline = time.monotonic() + 5
    while [path for path in broker.data.iterdir() if path.name.startswith("gone-")] and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [path.name for path in broker.data.iterdir() if path.name == "gone-0"]
    assert left == []


@both_ways
def test_committed_offsets_and_groups_stay(own_broker, kill):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t", 6)
        for partition in range(6):
            assert connection.produce("t", batch([b"%d" % n for n in range(20)]), partition)[0] == 0
    for number in range(8):
        consumer = kafka.KafkaConsumer(bootstrap_servers=broker.address, group_id=f"g{number}", enable_auto_commit=False)
        consumer.commit(
            {kafka.TopicPartition("t", p): kafka.OffsetAndMetadata(number + p, f"note {number}", -1) for p in range(6)}
        )
        consumer.close()
    broker.restart(kill)
    admin = kafka.KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        assert {group["group_id"] for group in admin.list_groups()} == {f"g{number}" for number in range(8)}
        for number in range(8):
            found = admin.list_group_offsets([f"g{number}"])[f"g{number}"]
            assert {place.partition: (o.offset, o.metadata) for place, o in found.items()} == {
                p: (number + p, f"note {number}") for p in range(6)
            }
        admin.delete_groups(["g3"])
    finally:
        admin.close()
    broker.restart(kill)
    with Connection(broker) as connection:
        reader = connection.ask(kafka_wire.LIST_GROUPS, 1)
        reader.i32()
        assert reader.i16() == 0
        groups = {group for group, _ in reader.array(lambda r: (r.string(), r.string()))}
    assert groups == {f"g{number}" for number in range(8)} - {"g3"}


@both_ways
def test_running_members_go_on_after_a_restart(own_broker, kill):
    """Members that live through it: they reconnect, and nothing committed comes again."""
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t", 6)

    def fill(first):
        with Connection(broker) as connection:
            for partition in range(6):
                values = [b"%d-%d" % (partition, n) for n in range(first, first + 20)]
                assert connection.produce("t", batch(values), partition)[:2] == (0, first)
        return sorted((p, n, b"%d-%d" % (p, n)) for p in range(6) for n in range(first, first + 20))

    members = [ConfluentMember(broker, "g", "t", partition_assignment_strategy="range") for _ in range(2)]
    try:
        settle(members, 6)
        first = fill(0)
        assert wait_for(members, len(first)) == first
        broker.restart(kill)
        for member in members:
            member.seen.clear()
        second = fill(20)
        assert wait_for(members, len(second)) == second
        settle(members, 6)
    finally:
        for member in members:
            member._leaving.set()
        for member in members:
            member.leave()


@both_ways
def test_producer_state_stays(own_broker, kill):
    """A batch that is sent again after the restart is known; a gap is refused; an old epoch is fenced; ids are new."""
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
        producer, epoch = connection.init_producer_id()
        sent = [batch([b"%d-%d" % (turn, n) for n in range(3)], producer=(producer, epoch, 3 * turn)) for turn in range(6)]
        assert [connection.produce("t", one)[:2] for one in sent] == [(0, 3 * turn) for turn in range(6)]
        newer = producer + 500_000
        assert connection.produce("t", batch([b"x"], producer=(newer, 5, 0)))[:2] == (0, 18)
        seen = {connection.init_producer_id()[0] for _ in range(20)} | {producer}
    for _ in range(2):
        broker.restart(kill)
        with Connection(broker) as connection:
            # The last batch is known for certain; an earlier one may be refused, but is not stored again.
            assert connection.produce("t", sent[5])[:2] == (0, 15)
            for turn in (1, 3):
                assert connection.produce("t", sent[turn])[:2] in ((0, 3 * turn), (OUT_OF_ORDER, -1), (46, -1))
            assert connection.list_offset("t", -1)[2] == 19
            assert connection.produce("t", batch([b"gap"], producer=(producer, epoch, 30)))[0] == OUT_OF_ORDER
            assert connection.produce("t", batch([b"old"], producer=(newer, 4, 1)))[0] == INVALID_EPOCH
            new = {connection.init_producer_id()[0] for _ in range(20)}
            assert not new & seen
            seen |= new
    with Connection(broker) as connection:
        assert connection.produce("t", batch([b"next"], producer=(producer, epoch, 18)))[:2] == (0, 19)


def test_duplicates_and_gaps_without_a_restart(make_topic, wire):
    topic = make_topic()
    producer, epoch = wire.init_producer_id()
    sent = [batch([b"%d" % turn], producer=(producer, epoch, turn)) for turn in range(8)]
    assert [wire.produce(topic, one)[:2] for one in sent] == [(0, turn) for turn in range(8)]
    for turn in (7, 3, 5):
        assert wire.produce(topic, sent[turn])[:2] == (0, turn), "one of the last five is answered with its offset"
    assert wire.produce(topic, sent[0])[0] in (OUT_OF_ORDER, 46)
    assert wire.produce(topic, batch([b"gap"], producer=(producer, epoch, 9)))[0] == OUT_OF_ORDER
    assert wire.produce(topic, batch([b"bump"], producer=(producer, epoch + 1, 3)))[0] == OUT_OF_ORDER
    assert wire.produce(topic, batch([b"bump"], producer=(producer, epoch + 1, 0)))[:2] == (0, 8)
    assert wire.produce(topic, batch([b"old"], producer=(producer, epoch, 8)))[0] == INVALID_EPOCH
    # Sequences go from the largest number to 0.
    other = wire.init_producer_id()[0]
    assert wire.produce(topic, batch([b"a", b"b"], producer=(other, 0, (1 << 31) - 2)))[:2] == (0, 9)
    assert wire.produce(topic, batch([b"c"], producer=(other, 0, 0)))[:2] == (0, 11)


def test_clean_stop_while_clients_are_busy(own_broker):
    """Parked fetches, half requests, and producers do not hold up a stop; what was acknowledged is kept."""
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
    parked = [Connection(broker) for _ in range(20)]
    for connection in parked:
        connection.send(kafka_wire.FETCH, 11, Connection.fetch_body([("t", 0, 0)], max_wait=60_000, min_bytes=1 << 20))
        connection.send_raw(b"\0\0\1\0half")
    acknowledged = []

    def produce():
        try:
            with Connection(broker) as connection:
                number = 0
                while True:
                    error, offset, _ = connection.produce("t", batch([b"%d" % number]))
                    assert error == 0
                    acknowledged.append((offset, b"%d" % number))
                    number += 1
        except (Closed, ConnectionError):
            pass

    thread = threading.Thread(target=produce)
    thread.start()
    time.sleep(0.3)
    started = time.monotonic()
    broker.stop()
    assert time.monotonic() - started < 8
    thread.join()
    for connection in parked:
        connection.close()
    broker.start()
    check(broker, acknowledged)


def check(broker, acknowledged, topic="t"):
    assert acknowledged
    stored = {}
    with Connection(broker) as connection:
        offset, end = 0, connection.list_offset(topic, -1)[2]
        while offset < end:
            found = connection.fetch_one(topic, offset, partition_bytes=8 << 20).values(offset)
            stored.update(found)
            offset = found[-1][0] + 1
    for offset, value in acknowledged:
        assert stored[offset] == value


def test_killed_again_and_again_while_producing(own_broker):
    """Five times SIGKILL in the middle of acknowledged writes: each acknowledged record is there, once, in its place."""
    broker = own_broker(log_segment_bytes=50_000)
    with Connection(broker) as connection:
        connection.create_topic("t")
        producer, epoch = connection.init_producer_id()
    acknowledged = []
    sequence = 0
    for _ in range(5):
        stop_at = time.monotonic() + 0.4

        def kill():
            time.sleep(max(0, stop_at - time.monotonic()))
            broker.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            with Connection(broker) as connection:
                while True:
                    # The same batch again until it is acknowledged: idempotence makes it once.
                    value = b"%d " % sequence + bytes(500)
                    error, offset, _ = connection.produce("t", batch([value], producer=(producer, epoch, sequence)))
                    assert error == 0, f"sequence {sequence}: error {error}"
                    acknowledged.append((offset, value))
                    sequence += 1
        except (Closed, ConnectionError):
            pass
        killer.join()
        broker.start()
    offsets = [offset for offset, _ in acknowledged]
    assert offsets == list(range(len(offsets))), "nothing twice, nothing left out"
    check(broker, acknowledged)


def test_an_index_that_is_lost_is_made_again(own_broker):
    broker = own_broker(log_segment_bytes=20_000, log_index_interval_bytes=1000)
    with Connection(broker) as connection:
        connection.create_topic("t")
        for number in range(200):
            connection.produce("t", batch([b"%d" % number + bytes(500)], timestamp=1_600_000_000_000 + number))
    broker.stop()
    removed = 0
    for path in (broker.data / "t-0").iterdir():
        if path.suffix in (".index", ".timeindex"):
            path.unlink()
            removed += 1
    assert removed > 4
    broker.start()
    with Connection(broker) as connection:
        for number in (0, 57, 133, 199):
            offset, value = connection.fetch_one("t", number, partition_bytes=1).values()[0]
            assert (offset, value) == (number, b"%d" % number + bytes(500))
            assert connection.list_offset("t", 1_600_000_000_000 + number)[2] == number


def test_a_torn_end_is_cut_off_after_a_crash(own_broker):
    """Half a batch at the end of the log, as a crash of the machine leaves it: it goes, all before it stays."""
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
        for number in range(10):
            connection.produce("t", batch([b"%d" % number]))
    broker.kill()
    log = broker.data / "t-0" / ("0" * 20 + ".log")
    with open(log, "ab") as file:
        file.write(batch([b"torn" * 100], base_offset=10)[:150])
    broker.start()
    with Connection(broker) as connection:
        assert connection.fetch_one("t").values() == [(number, b"%d" % number) for number in range(10)]
        assert connection.produce("t", batch([b"after"]))[:2] == (0, 10)
        assert connection.fetch_one("t", 10).values() == [(10, b"after")]


def test_deleted_records_stay_deleted(own_broker):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
        connection.produce("t", batch([b"%d" % number for number in range(10)]))
        connection.produce("t", batch([b"%d" % number for number in range(10, 20)]))
        body = W().i32(1).string("t").i32(1).i32(0).i64(15).i32(5000).bytes
        connection.ask(kafka_wire.DELETE_RECORDS, 1, body)
        assert connection.list_offset("t", -2)[2] == 15
    for kill in (True, False):
        broker.restart(kill)
        with Connection(broker) as connection:
            assert connection.list_offset("t", -2)[2] == 15
            assert connection.fetch_one("t", 14).error == 1
            assert connection.fetch_one("t", 15).values(15) == [(n, b"%d" % n) for n in range(15, 20)]


def test_two_brokers_on_one_folder(own_broker):
    broker = own_broker()
    second = subprocess.run(
        [broker_module.PROGRAM, "serve", "--data-dir", str(broker.data), "--listen", "127.0.0.1:0"],
        capture_output=True, timeout=10,
    )
    assert second.returncode == 1
    assert b"in use" in second.stderr
    with Connection(broker) as connection:
        assert connection.api_versions()[0] == 0


def test_a_port_that_is_taken(own_broker, tmp_path):
    broker = own_broker()
    second = subprocess.run(
        [broker_module.PROGRAM, "serve", "--data-dir", str(tmp_path / "other"), "--listen", broker.address],
        capture_output=True, timeout=10,
    )
    assert second.returncode == 1
    assert b"taken" in second.stderr


@both_ways
def test_confluent_idempotent_producer_lives_through_a_restart(own_broker, kill):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": broker.address, "enable.idempotence": True, "linger.ms": 1, "reconnect.backoff.max.ms": 200}
    )
    failed = []
    for number in range(3000):
        producer.produce("t", b"%d" % number, partition=0, on_delivery=lambda error, _: error and failed.append(error))
        producer.poll(0)
        if number == 1500:
            broker.restart(kill)
        if number % 100 == 0:
            time.sleep(0.005)
    assert producer.flush(30) == 0
    assert not failed
    values = [record.value for record in Confluent.read(broker, "t", {0: 3000})[0]]
    assert values == [b"%d" % number for number in range(3000)]


def killed_while(broker, work, seconds=0.4):
    """Calls `work(connection, number)` again and again until the broker is killed; returns the numbers that were done."""
    done = []
    killer = threading.Timer(seconds, broker.kill)
    killer.start()
    try:
        with Connection(broker) as connection:
            while True:
                number = killed_while.number
                killed_while.number += 1
                work(connection, number)
                done.append(number)
    except (Closed, ConnectionError):
        pass
    killer.join()
    broker.start()
    return done


killed_while.number = 0


def test_killed_while_topics_are_made_and_deleted(own_broker):
    broker = own_broker()
    expected = {}

    def work(connection, number):
        configs = {"retention.ms": str(1000 + number)}
        connection.create_topic(f"t{number}", 2, configs)
        if number % 3 == 0:
            # From here on it may be gone, and when this has been answered it is.
            connection.ask(kafka_wire.DELETE_TOPICS, 1, W().i32(1).string(f"t{number}").i32(5000).bytes)
        else:
            expected[f"t{number}"] = configs

    for _ in range(4):
        done = killed_while(broker, work)
        assert done
        with Connection(broker) as connection:
            found = connection.metadata(None)
            for topic, configured in expected.items():
                assert found[topic][::2] == (0, 2)
            # What was under way may be there or not; what is there works.
            for topic in sorted(found)[-3:]:
                offset = connection.list_offset(topic, -1)[2]
                assert connection.produce(topic, batch([b"x"]))[:2] == (0, offset)
            last = max(expected, key=lambda name: int(name[1:]))
            assert configs(connection, last) == expected[last]
            assert not [number for number in done if number % 3 == 0 and f"t{number}" in found]


def test_killed_while_offsets_are_committed(own_broker):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
    committed = {}

    def work(connection, number):
        group = f"g{number % 5}"
        body = W().string(group).i32(-1).string("").i64(-1).i32(1).string("t").i32(1).i32(0).i64(number).string("m").bytes
        reader = connection.ask(kafka_wire.OFFSET_COMMIT, 2, body)
        (answer,) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i16()))))
        if answer[1][0][1] == 0:
            committed[group] = number
        else:
            # The coordinator of a broker that has just started may still be reading its log.
            assert answer[1][0][1] in (14, 15, 16), answer
            time.sleep(0.01)

    for _ in range(4):
        killed_while(broker, work)
        assert len(committed) == 5
        for group, offset in committed.items():
            deadline = time.monotonic() + 5
            while True:
                with Connection(broker) as connection:
                    body = W().string(group).i32(1).string("t").i32(1).i32(0).bytes
                    reader = connection.ask(kafka_wire.OFFSET_FETCH, 1, body)
                (topic,) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i64(), p.string(), p.i16()))))
                _, found, _, error = topic[1][0]
                if error == 0 or time.monotonic() > deadline:
                    break
            # One more commit may have been stored whose answer did not get through.
            assert error == 0
            assert found in (offset, offset + 5), f"{group}: {found}, and {offset} was acknowledged"


def test_a_second_sigterm_does_no_harm(own_broker):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
        assert connection.produce("t", batch([b"x"]))[0] == 0
    broker.process.terminate()
    broker.stop()
    broker.start()
    with Connection(broker) as connection:
        assert connection.fetch_one("t").values() == [(0, b"x")]
