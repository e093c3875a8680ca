"""Negotiation, order of answers, and requests as hand-written clients send them."""

import threading
import time

import pytest

import wire as kafka
from wire import Closed, Connection, R, W, batch

pytestmark = pytest.mark.one_node("sends requests by hand on connections to the one broker there is")

FLOORS = {
    # Exact versions that librdkafka before 2.11 looks for, or that clients without negotiation send.
    kafka.PRODUCE: [0, 3, 7], kafka.FETCH: [4, 10, 11, 12], kafka.LIST_OFFSETS: [1, 2], kafka.METADATA: [0, 1, 4, 5, 9],
    kafka.FIND_COORDINATOR: [0, 1, 2], kafka.JOIN_GROUP: [0, 2, 5], kafka.HEARTBEAT: [0, 3], kafka.LEAVE_GROUP: [0, 1],
    kafka.SYNC_GROUP: [0, 3], kafka.OFFSET_COMMIT: [2, 7], kafka.OFFSET_FETCH: [1, 5, 7], kafka.INIT_PRODUCER_ID: [0, 3, 4],
    kafka.DESCRIBE_GROUPS: [0], kafka.LIST_GROUPS: [0], kafka.DELETE_TOPICS: [1], kafka.CREATE_TOPICS: [2, 4],
    kafka.API_VERSIONS: [0, 3, 4],
}


def test_versions_of_old_clients_are_advertised(wire):
    error, keys = wire.api_versions()
    assert error == 0
    for key, versions in FLOORS.items():
        low, high = keys[key]
        for version in versions:
            assert low <= version <= high, f"API {key} is advertised as {low} to {high}, without {version}"


@pytest.mark.parametrize("version", [0, 1, 2])
def test_api_versions_before_flexible_encoding(wire, version):
    reader = wire.ask(kafka.API_VERSIONS, version)
    assert reader.i16() == 0
    assert len(reader.array(lambda r: (r.i16(), r.i16(), r.i16()))) > 20
    if version >= 1:
        assert reader.i32() == 0
    assert not reader.rest


@pytest.mark.parametrize("version", [3, 4])
def test_api_versions_in_flexible_encoding_has_the_old_header(wire, version):
    body = W().compact_string("conformance").compact_string("1.0").tags().bytes
    reader = wire.ask(kafka.API_VERSIONS, version, body, flexible=True)
    # No tagged fields in the header: the error code comes at once.
    assert reader.i16() == 0
    keys = reader.compact_array(lambda r: (r.i16(), r.i16(), r.i16(), r.tags()))
    assert (kafka.API_VERSIONS, 0, 4, None) in keys
    assert reader.i32() == 0
    reader.tags()
    assert not reader.rest


@pytest.mark.parametrize("version", [5, 99, 32767, -1])
def test_unknown_version_of_api_versions_is_answered_in_version_0(wire, version):
    error, keys = wire.api_versions(version)
    assert error == 35
    assert keys[kafka.API_VERSIONS] == (0, 4)
    # The connection goes on.
    assert wire.api_versions(0)[0] == 0


def test_unknown_version_before_a_body_of_the_future(wire):
    """A client of years to come sends a header and a body that nobody here knows."""
    wire.send(kafka.API_VERSIONS, 99, b"\xff" * 100)
    _, reader = wire.receive()
    assert reader.i16() == 35


def test_api_versions_with_an_impossible_software_name(wire):
    body = W().compact_string("_bad name_").compact_string("1.0").tags().bytes
    assert wire.ask(kafka.API_VERSIONS, 3, body, flexible=True).i16() == 42


def test_requests_without_api_versions(make_topic, broker):
    topic = make_topic()
    with Connection(broker) as first:
        assert first.produce(topic, batch([b"no handshake"]))[0] == 0
    with Connection(broker) as second:
        assert second.fetch_one(topic).values() == [(0, b"no handshake")]


def test_request_without_client_id(wire):
    wire.send_frame(Connection.header(kafka.API_VERSIONS, 0, 7, client=None))
    correlation, reader = wire.receive()
    assert (correlation, reader.i16()) == (7, 0)


def test_pipelined_requests_are_answered_in_order(make_topic, wire):
    topic = make_topic(partitions=4)
    expected = []
    for turn in range(50):
        for partition in range(4):
            expected.append(wire.send(kafka.PRODUCE, 7, Connection.produce_body(topic, batch([b"x"]), partition)))
        # A fetch that must wait its whole time, with requests behind it.
        body = Connection.fetch_body([(topic, 0, turn + 1)], max_wait=10, min_bytes=1)
        expected.append(wire.send(kafka.FETCH, 11, body))
        expected.append(wire.send(kafka.API_VERSIONS, 0))
        expected.append(wire.send(kafka.METADATA, 1, W().i32(1).string(topic).bytes))
    assert [wire.receive()[0] for _ in expected] == expected
    assert wire.fetch_one(topic, partition=3).high_watermark == 50


def test_one_write_split_into_single_bytes(make_topic, wire):
    topic = make_topic()
    frame = Connection.header(kafka.METADATA, 1, 5) + W().i32(1).string(topic).bytes
    for byte in len(frame).to_bytes(4, "big") + frame:
        wire.send_raw(bytes([byte]))
        time.sleep(0.0005)
    assert wire.receive()[0] == 5


def test_no_answer_to_acks_0(make_topic, wire):
    topic = make_topic()
    order = []
    for number in range(20):
        wire.send(kafka.PRODUCE, 7, Connection.produce_body(topic, batch([b"%d" % number]), acks=0))
        order.append(wire.send(kafka.PRODUCE, 7, Connection.produce_body(topic, batch([b"acked"]), acks=1)))
        wire.send(kafka.PRODUCE, 7, Connection.produce_body(topic, batch([b"silent"]), acks=0))
        order.append(wire.send(kafka.API_VERSIONS, 0))
    assert [wire.receive()[0] for _ in order] == order
    values = [value for _, value in wire.fetch_one(topic).values()]
    assert values == [part for n in range(20) for part in (b"%d" % n, b"acked", b"silent")]


def test_an_error_with_acks_0_closes_the_connection(make_topic, broker):
    topic = make_topic()
    with Connection(broker) as connection:
        connection.send(kafka.PRODUCE, 7, Connection.produce_body(topic, batch([b"x"], crc=1), acks=0))
        connection.expect_closed()


@pytest.mark.parametrize("version", range(3, 9))
def test_every_old_produce_version(make_topic, wire, version):
    topic = make_topic()
    error, offset, time = wire.produce(topic, batch([b"a", b"b"]), version=version)
    assert (error, offset, time) == (0, 0, -1)
    error, offset, _ = wire.produce(topic, batch([b"c"]), version=version)
    assert (error, offset) == (0, 2)
    assert wire.fetch_one(topic).values() == [(0, b"a"), (1, b"b"), (2, b"c")]


def test_transactional_request_is_refused_while_transactions_are_not_served(wire):
    """Whoever is not told of AddPartitionsToTxn must not have transactional records stored as ordinary ones."""
    _, keys = wire.api_versions()
    if 24 in keys:
        pytest.skip("transactions are served: their own tests speak for them")
    # A transactional batch outside a transaction.
    assert wire.produce("any", batch([b"x"], attributes=16, producer=(1, 0, 0)))[0] != 0


def test_log_append_time(make_topic, wire):
    topic = make_topic(configs={"message.timestamp.type": "LogAppendTime"})
    before = int(time.time() * 1000)
    error, offset, append_time = wire.produce(topic, batch([b"a", b"b"], timestamp=1234))
    after = int(time.time() * 1000)
    assert (error, offset) == (0, 0)
    assert before <= append_time <= after
    records = wire.fetch_one(topic).records
    assert int.from_bytes(records[21:23], "big") & 8, "the batch says that its timestamps are the log's"
    assert int.from_bytes(records[35:43], "big") == append_time
    assert kafka.crc32c(records[21:]) == int.from_bytes(records[17:21], "big")


def test_many_connections_at_once(make_topic, broker):
    topic = make_topic()
    connections = [Connection(broker) for _ in range(200)]
    try:
        for number, connection in enumerate(connections):
            connection.send(kafka.PRODUCE, 7, Connection.produce_body(topic, batch([b"%d" % number])))
        offsets = []
        for connection in connections:
            error, offset, _ = Connection.produced(connection.receive()[1])
            assert error == 0
            offsets.append(offset)
        assert sorted(offsets) == list(range(200))
        stored = dict(connections[0].fetch_one(topic).values())
        for number, offset in enumerate(offsets):
            assert stored[offset] == b"%d" % number
    finally:
        for connection in connections:
            connection.close()


def test_metadata_names_the_address_that_the_client_dialled(wire, broker):
    reader = wire.ask(kafka.METADATA, 1, W().i32(0).bytes)
    brokers = reader.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))
    controller = reader.i32()
    topics = reader.i32()
    assert brokers == [(controller, "127.0.0.1", broker.port, None)]
    assert topics == 0, "an empty list asks for no topics"


def test_metadata_of_all_topics_and_version_0(make_topic, wire):
    topic = make_topic()
    assert topic in wire.metadata(None)
    reader = wire.ask(kafka.METADATA, 0, W().i32(0).bytes)
    reader.array(lambda r: (r.i32(), r.string(), r.i32()))
    names = reader.array(
        lambda r: (r.i16(), r.string(), r.array(lambda p: (p.i16(), p.i32(), p.i32(), p.array(R.i32), p.array(R.i32))))[1]
    )
    assert topic in names


def test_metadata_of_names_that_cannot_be(wire):
    answer = wire.metadata(["no/slash", "", ".", "a" * 250, "not-there"])
    assert {name: entry[0] for name, entry in answer.items()} == {
        "no/slash": 17, "": 17, ".": 17, "a" * 250: 17, "not-there": 3,
    }


def test_idle_broker_uses_no_processor_time(own_broker):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("idle", 8)
        before = broker.cpu_seconds()
        time.sleep(2)
        assert broker.cpu_seconds() - before <= 0.06
        assert connection.api_versions()[0] == 0


def test_produce_race_of_many_threads_keeps_every_record(make_topic, broker):
    topic = make_topic(partitions=3)
    failures = []

    def work(number):
        try:
            with Connection(broker) as connection:
                for turn in range(40):
                    values = [b"%d-%d-%d" % (number, turn, place) for place in range(5)]
                    error, _, _ = connection.produce(topic, batch(values), partition=(number + turn) % 3)
                    assert error == 0
        except Exception as error:  # a thread has nobody above it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    seen = []
    with Connection(broker) as connection:
        for partition in range(3):
            offset = 0
            while True:
                found = connection.fetch_one(topic, offset, partition, max_wait=0).values(offset)
                if not found:
                    break
                assert [place for place, _ in found] == list(range(offset, offset + len(found)))
                offset += len(found)
                seen += [value for _, value in found]
    assert sorted(seen) == sorted(b"%d-%d-%d" % (n, t, p) for n in range(8) for t in range(40) for p in range(5))


def test_closed_is_what_expect_closed_means(broker):
    """The helper itself: a connection that lives must not pass for a closed one."""
    with Connection(broker) as connection:
        connection.send(kafka.API_VERSIONS, 0)
        with pytest.raises(AssertionError):
            connection.expect_closed()
    with Connection(broker) as connection:
        connection.send_raw(b"\xff" * 8)
        with pytest.raises(Closed):
            connection.receive()
