"""Fetch: sizes, waiting, topic ids, sessions."""

import threading
import time
import uuid

import wire as kafka
from wire import Connection, W, batch, batches


class Later:
    """Runs `work` in `delay` seconds on a thread of its own; `finish` waits for it and tells when it was done."""

    def __init__(self, delay, work):
        def run():
            time.sleep(delay)
            self.result = work()
            self.at = time.monotonic()

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def finish(self):
        self.thread.join()
        return self.at


def fill(connection, topic, count, size, partition=0):
    """`count` batches of one record of `size` bytes."""
    for number in range(count):
        assert connection.produce(topic, batch([b"%08d" % number + bytes(size - 8)]), partition)[0] == 0


def test_waiting_fetch_wakes_when_a_record_comes(make_topic, broker, wire):
    topic = make_topic()
    with Connection(broker) as producer:
        later = Later(0.3, lambda: producer.produce(topic, batch([b"wake"])))
        fetched = wire.fetch_one(topic, max_wait=10_000)
        woken = time.monotonic()
        done = later.finish()
    assert fetched.values() == [(0, b"wake")]
    assert abs(woken - done) < 1


def test_waiting_fetch_wakes_for_any_of_its_partitions(make_topic, broker, wire):
    topic = make_topic(partitions=8)
    for partition in (7, 0, 3):
        with Connection(broker) as producer:
            later = Later(0.1, lambda: producer.produce(topic, batch([b"wake"]), partition))
            started = time.monotonic()
            _, _, answer = wire.fetch([(topic, place, 1 if place == 99 else 0) for place in [partition]], max_wait=10_000)
            later.finish()
        assert time.monotonic() - started < 2
        assert answer[topic, partition].values() == [(0, b"wake")]
    positions = [(topic, place, 1 if place in (7, 0, 3) else 0) for place in range(8)]
    with Connection(broker) as producer:
        later = Later(0.1, lambda: producer.produce(topic, batch([b"second"]), 3))
        started = time.monotonic()
        _, _, answer = wire.fetch(positions, max_wait=10_000)
        later.finish()
    assert time.monotonic() - started < 2
    assert {place: fetched.values(1) for (_, place), fetched in answer.items() if fetched.values(1)} == {3: [(1, b"second")]}


def test_waiting_fetch_gives_up_after_max_wait(make_topic, wire):
    topic = make_topic()
    for wait in (0, 100, 700):
        started = time.monotonic()
        fetched = wire.fetch_one(topic, max_wait=wait)
        took = time.monotonic() - started
        assert (fetched.error, fetched.values()) == (0, [])
        assert wait / 1000 - 0.005 <= took < wait / 1000 + 1


def test_min_bytes_waits_for_enough(make_topic, broker, wire):
    topic = make_topic()
    with Connection(broker) as producer:
        def trickle():
            for _ in range(6):
                producer.produce(topic, batch([bytes(1000)]))
                time.sleep(0.05)
        later = Later(0.1, trickle)
        fetched = wire.fetch_one(topic, max_wait=10_000, min_bytes=5000)
        later.finish()
    assert len(fetched.values()) == 5
    started = time.monotonic()
    fetched = wire.fetch_one(topic, max_wait=300, min_bytes=1_000_000)
    assert 0.295 <= time.monotonic() - started < 2
    assert len(fetched.values()) == 6, "what there is comes when the time is up"


def test_min_bytes_0_does_not_wait(make_topic, wire):
    topic = make_topic()
    started = time.monotonic()
    assert wire.fetch_one(topic, max_wait=5000, min_bytes=0).values() == []
    assert time.monotonic() - started < 1


def test_an_error_ends_the_waiting(make_topic, wire):
    topic = make_topic()
    started = time.monotonic()
    _, _, answer = wire.fetch([(topic, 0, 0), (topic, 0x7FFF, 0)], max_wait=5000)
    assert time.monotonic() - started < 1
    assert answer[topic, 0x7FFF].error == 3


def test_deleting_a_topic_ends_the_waiting(make_topic, broker, wire):
    topic = make_topic()
    with Connection(broker) as other:
        later = Later(0.2, lambda: other.ask(kafka.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(5000).bytes))
        started = time.monotonic()
        fetched = wire.fetch_one(topic, max_wait=8000)
        later.finish()
    assert fetched.error == 3
    assert time.monotonic() - started < 3


def test_a_whole_batch_comes_however_small_the_limits(make_topic, wire):
    topic = make_topic()
    fill(wire, topic, 3, 200_000)
    for limits in ({"partition_bytes": 1}, {"max_bytes": 1}, {"max_bytes": 1, "partition_bytes": 1}):
        fetched = wire.fetch_one(topic, 1, **limits)
        assert [offset for offset, _ in fetched.values()] == [1]


def test_max_bytes_bounds_the_whole_answer(make_topic, wire):
    topic = make_topic(partitions=4)
    for partition in range(4):
        fill(wire, topic, 4, 50_000, partition)
    asked = [(topic, partition, 0) for partition in range(4)]
    _, _, answer = wire.fetch(asked, max_bytes=120_000)
    assert 50_000 < sum(len(fetched.records) for fetched in answer.values()) <= 120_000
    assert set(answer) == {(topic, partition) for partition in range(4)}
    _, _, answer = wire.fetch(asked, partition_bytes=110_000)
    assert [len(fetched.values()) for fetched in answer.values()] == [2] * 4
    assert all(len(fetched.records) <= 110_000 for fetched in answer.values())
    _, _, answer = wire.fetch(asked, max_bytes=1)
    assert [len(fetched.values()) for fetched in answer.values()].count(1) == 1


def test_no_answer_holds_only_a_part_of_a_batch(make_topic, wire):
    """Kafka leaves such a partition empty; kafka-python takes a lone part for a batch that can never be read."""
    topic = make_topic(partitions=3)
    for partition in range(3):
        fill(wire, topic, 3, 30_000, partition)
    asked = [(topic, partition, 0) for partition in range(3)]
    for limits in [{"max_bytes": size} for size in (31_000, 40_000, 60_500, 91_000, 100_000, 130_000)] + [
        {"partition_bytes": size} for size in (10, 100, 20_000, 30_000)
    ]:
        _, _, answer = wire.fetch(asked, **limits)
        assert len(answer) == 3
        assert all(len(fetched.values()) > 0 for fetched in answer.values() if fetched.records), limits
        assert any(fetched.records for fetched in answer.values())


def test_a_reader_with_small_limits_sees_everything(make_topic, wire):
    topic = make_topic(partitions=2, configs={"segment.bytes": "100000"})
    for partition in range(2):
        fill(wire, topic, 30, 20_000, partition)
    positions = [0, 0]
    for _ in range(200):
        # Kafka's clients turn the order round, so that none starves.
        order = sorted(range(2), key=lambda partition: positions[partition])
        _, _, answer = wire.fetch([(topic, place, positions[place]) for place in order], max_bytes=45_000, max_wait=0)
        for (_, place), fetched in answer.items():
            assert fetched.error == 0
            for offset, value in fetched.values(positions[place]):
                assert (offset, value[:8]) == (positions[place], b"%08d" % offset)
                positions[place] += 1
        if positions == [30, 30]:
            return
    raise AssertionError(f"the reader is stuck at {positions}")


def test_an_offset_inside_a_batch_gives_the_whole_batch(make_topic, wire):
    topic = make_topic()
    wire.produce(topic, batch([b"0", b"1", b"2"]))
    wire.produce(topic, batch([b"3", b"4", b"5"]))
    fetched = wire.fetch_one(topic, 4)
    assert next(batches(fetched.records))[0] == 3
    assert fetched.values(4) == [(4, b"4"), (5, b"5")]


def test_stale_and_future_leader_epochs(make_topic, wire):
    topic = make_topic()
    wire.produce(topic, batch([b"x"]))

    def ask(epoch):
        body = W().i32(-1).i32(0).i32(1).i32(1000).i8(0).i32(0).i32(-1).i32(1).string(topic).i32(1)
        body.i32(0).i32(epoch).i64(0).i64(-1).i32(1000).i32(0).string("")
        return Connection.fetched(wire.ask(kafka.FETCH, 11, body.bytes))[2][topic, 0].error

    assert ask(-1) == 0
    assert ask(0) == 0
    assert ask(1000) == 76 - 1  # UNKNOWN_LEADER_EPOCH


# Topic ids


def fetch_by_id(wire, partitions, version=13, max_wait=0, session=0, epoch=-1, forgotten=()):
    """Fetch v13 to v16 of (topic id, partition, offset)s: (error, session, {(id, partition): (error, watermark, records)})."""
    body = W()
    if version < 15:
        body.i32(-1)
    body.i32(max_wait).i32(1).i32(50 << 20).i8(0).i32(session).i32(epoch).uvarint(len(partitions) + 1)
    for topic, partition, offset in partitions:
        body.raw(topic.bytes).uvarint(2)
        body.i32(partition).i32(-1).i64(offset).i32(-1).i64(-1).i32(1 << 20).tags().tags()
    body.uvarint(len(forgotten) + 1)
    for topic, partition in forgotten:
        body.raw(topic.bytes).uvarint(2).i32(partition).tags()
    reader = wire.ask(kafka.FETCH, version, body.compact_string("").tags().bytes, flexible=True)
    reader.i32()
    error, session = reader.i16(), reader.i32()
    result = {}
    for _ in range(reader.uvarint() - 1):
        topic = reader.uuid()
        for _ in range(reader.uvarint() - 1):
            partition, code, watermark = reader.i32(), reader.i16(), reader.i64()
            reader.i64()
            reader.i64()
            for _ in range(max(0, reader.uvarint() - 1)):
                reader.raw(16)
                reader.tags()
            reader.i32()
            result[topic, partition] = code, watermark, reader.compact_data()
            reader.tags()
        reader.tags()
    reader.tags()
    assert not reader.rest
    return error, session, result


def test_fetch_by_topic_id(make_topic, wire):
    topic = make_topic()
    wire.produce(topic, batch([b"by id"]))
    id = wire.metadata([topic])[topic][1]
    assert id.int != 0
    for version in (13, 15, 16, 17):
        error, _, answer = fetch_by_id(wire, [(id, 0, 0)], version)
        assert error == 0
        code, watermark, records = answer[id, 0]
        assert (code, watermark) == (0, 1)
        assert b"by id" in records


def test_unknown_topic_id(make_topic, wire):
    topic = make_topic()
    id = wire.metadata([topic])[topic][1]
    unknown = uuid.uuid4()
    error, _, answer = fetch_by_id(wire, [(unknown, 0, 0), (id, 0, 0)])
    assert error == 0
    assert answer[unknown, 0][0] == 100
    assert answer[id, 0][0] == 0
    assert fetch_by_id(wire, [(uuid.UUID(int=0), 0, 0)])[2][uuid.UUID(int=0), 0][0] == 100
    assert fetch_by_id(wire, [(id, 5, 0)])[2][id, 5][0] == 3


def test_a_topic_made_anew_has_another_id(make_topic, wire):
    topic = make_topic()
    wire.produce(topic, batch([b"old"]))
    old = wire.metadata([topic])[topic][1]
    wire.ask(kafka.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(5000).bytes)
    assert wire.metadata([topic])[topic][0] == 3
    assert fetch_by_id(wire, [(old, 0, 0)])[2][old, 0][0] == 100
    wire.create_topic(topic)
    new = wire.metadata([topic])[topic][1]
    assert new != old
    assert wire.fetch_one(topic, max_wait=0).values() == [], "records of the old topic are gone"
    assert fetch_by_id(wire, [(old, 0, 0)])[2][old, 0][0] == 100
    assert fetch_by_id(wire, [(new, 0, 0)])[2][new, 0][0] == 0


# Sessions (KIP-227), as Kafka's Java clients use them


def test_session_tells_only_what_is_new(make_topic, wire):
    topic = make_topic(partitions=3)
    for partition in range(3):
        wire.produce(topic, batch([b"first"]), partition)
    error, session, answer = wire.fetch([(topic, partition, 0) for partition in range(3)], session=0, epoch=0)
    assert (error, len(answer)) == (0, 3)
    assert session != 0
    # Go on at 1 everywhere; nothing new anywhere.
    error, same, answer = wire.fetch(
        [(topic, partition, 1) for partition in range(3)], session=session, epoch=1, max_wait=50
    )
    assert (error, same, answer) == (0, session, {})
    # Nothing is repeated; one partition grows.
    wire.produce(topic, batch([b"second"]), 1)
    error, same, answer = wire.fetch([], session=session, epoch=2)
    assert (error, same) == (0, session)
    assert {place: fetched.values() for (_, place), fetched in answer.items()} == {1: [(1, b"second")]}
    # Not read on: the same records come again, for the session does not move by itself.
    _, _, answer = wire.fetch([], session=session, epoch=3)
    assert answer[topic, 1].values() == [(1, b"second")]


def test_session_wakes_when_a_record_comes(make_topic, broker, wire):
    topic = make_topic(partitions=2)
    _, session, _ = wire.fetch([(topic, 0, 0), (topic, 1, 0)], epoch=0, max_wait=0)
    with Connection(broker) as producer:
        later = Later(0.2, lambda: producer.produce(topic, batch([b"new"]), 1))
        started = time.monotonic()
        _, _, answer = wire.fetch([], session=session, epoch=1, max_wait=10_000)
        later.finish()
    assert time.monotonic() - started < 2
    assert list(answer) == [(topic, 1)]


def test_session_forgets_partitions(make_topic, wire):
    topic = make_topic(partitions=2)
    _, session, _ = wire.fetch([(topic, 0, 0), (topic, 1, 0)], epoch=0, max_wait=0)
    for partition in range(2):
        wire.produce(topic, batch([b"x"]), partition)
    _, _, answer = wire.fetch([], session=session, epoch=1, forgotten=[(topic, 0)])
    assert list(answer) == [(topic, 1)]
    # It comes back when it is named again.
    _, _, answer = wire.fetch([(topic, 0, 0)], session=session, epoch=2)
    assert set(answer) == {(topic, 0), (topic, 1)}


def test_session_with_a_wrong_epoch(make_topic, wire):
    topic = make_topic()
    _, session, _ = wire.fetch([(topic, 0, 0)], epoch=0, max_wait=0)
    for epoch in (2, 1000):
        error, _, answer = wire.fetch([], session=session, epoch=epoch, max_wait=0)
        assert (error, answer) == (71, {})
    # The session is as it was.
    assert wire.fetch([], session=session, epoch=1, max_wait=0)[0] == 0
    assert wire.fetch([], session=session, epoch=1, max_wait=0)[0] == 71


def test_unknown_session(make_topic, wire):
    topic = make_topic()
    error, _, answer = wire.fetch([(topic, 0, 0)], session=0x7EADBEEF, epoch=5, max_wait=0)
    assert (error, answer) == (70, {})


def test_closed_session_is_gone(make_topic, wire):
    topic = make_topic()
    _, session, _ = wire.fetch([(topic, 0, 0)], epoch=0, max_wait=0)
    error, none, answer = wire.fetch([(topic, 0, 0)], session=session, epoch=-1, max_wait=0)
    assert (error, none, len(answer)) == (0, 0, 1)
    assert wire.fetch([], session=session, epoch=1, max_wait=0)[0] == 70


def test_a_full_fetch_replaces_its_session(make_topic, wire):
    topic = make_topic()
    _, first, _ = wire.fetch([(topic, 0, 0)], epoch=0, max_wait=0)
    error, second, answer = wire.fetch([(topic, 0, 0)], session=first, epoch=0, max_wait=0)
    assert (error, len(answer)) == (0, 1)
    assert second not in (0, first)
    assert wire.fetch([], session=first, epoch=1, max_wait=0)[0] == 70
    assert wire.fetch([], session=second, epoch=1, max_wait=0)[0] == 0


def test_session_by_topic_id(make_topic, wire):
    topic = make_topic(partitions=2)
    id = wire.metadata([topic])[topic][1]
    error, session, answer = fetch_by_id(wire, [(id, 0, 0), (id, 1, 0)], epoch=0)
    assert (error, len(answer)) == (0, 2) and session != 0
    wire.produce(topic, batch([b"x"]), 1)
    error, _, answer = fetch_by_id(wire, [], session=session, epoch=1)
    assert (error, list(answer)) == (0, [(id, 1)])
    # The same session cannot be used with names.
    assert wire.fetch([(topic, 0, 0)], session=session, epoch=2, max_wait=0)[0] == 106
    # When its topic is deleted the session says so, again and again.
    wire.ask(kafka.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(5000).bytes)
    for _ in range(2):
        assert wire.metadata([topic])[topic][0] == 3
    error, session, answer = fetch_by_id(wire, [(id, 0, 0)], epoch=0)
    assert answer[id, 0][0] == 100
    error, _, answer = fetch_by_id(wire, [], session=session, epoch=1)
    assert (error, answer[id, 0][0]) == (0, 100)


def test_no_partition_of_a_session_starves(make_topic, wire):
    """Every answer has room for one batch only; Kafka turns the order of a session's partitions round."""
    topic = make_topic(partitions=4)
    for partition in range(4):
        fill(wire, topic, 10, 10_000, partition)
    positions = [0] * 4
    _, session, answer = wire.fetch([(topic, partition, 0) for partition in range(4)], epoch=0, max_bytes=11_000)
    for epoch in range(1, 12):
        changed = []
        for (_, partition), fetched in answer.items():
            for offset, _ in fetched.values(positions[partition]):
                positions[partition] = offset + 1
                changed.append(partition)
        error, _, answer = wire.fetch(
            [(topic, partition, positions[partition]) for partition in sorted(set(changed))], session=session, epoch=epoch,
            max_bytes=11_000,
        )
        assert error == 0
    assert min(positions) >= 2, positions


def test_sessions_are_bounded(own_broker):
    """max.incremental.fetch.session.cache.slots: who finds no place is served without a session."""
    broker = own_broker(max_incremental_fetch_session_cache_slots=10)
    with Connection(broker) as connection:
        connection.create_topic("t")
        sessions = [connection.fetch([("t", 0, 0)], epoch=0, max_wait=0)[1] for _ in range(50)]
    assert 1 <= len([session for session in sessions if session]) <= 10
    assert sessions[-1] == 0
