"""What no client of good will sends: it costs one connection, never the broker, its memory, or stored records."""

import gzip
import os
import struct
import zlib

import cramjam
import lz4.frame
import pytest
import zstandard

import wire as kafka
from wire import Closed, Connection, W, batch, gzip_bomb, record, uvarint, varint

pytestmark = pytest.mark.one_node("sends bytes by hand, for one broker to withstand")

MEGABYTE = 1 << 20

INVALID_RECORD, CORRUPT_MESSAGE, MESSAGE_TOO_LARGE = 87, 2, 10


@pytest.fixture
def stored(make_topic, broker):
    """A topic with records that must be there, whole, after whatever the test did; memory must not have grown much."""
    topic = make_topic("stored")
    values = [b"value %d" % number for number in range(100)]
    with Connection(broker) as connection:
        assert connection.produce(topic, batch(values))[0] == 0
    before = broker.resident_bytes()
    yield topic
    broker.check_alive()
    with Connection(broker) as connection:
        assert connection.fetch_one(topic).values() == list(enumerate(values))
    assert broker.resident_bytes() - before < 96 * MEGABYTE


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">i", -1), struct.pack(">i", -(1 << 31)), struct.pack(">i", 0), struct.pack(">i", 4) + bytes(4),
        struct.pack(">i", 7) + bytes(7), struct.pack(">i", (1 << 31) - 1), struct.pack(">i", 104857601),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /topics HTTP/1.1\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=[
        "minus-one", "smallest", "zero", "four", "seven", "largest", "over-the-limit", "tls", "http-get", "http-post", "ssh",
    ],
)
def test_impossible_frames_close_the_connection(broker, stored, data):
    with Connection(broker) as connection:
        connection.send_raw(data)
        connection.expect_closed()


@pytest.mark.parametrize(
    "key, version", [(9999, 0), (-1, 0), (4, 0), (7, 0), (kafka.METADATA, 99), (kafka.METADATA, -1), (kafka.PRODUCE, 2), (kafka.FETCH, 3)]
)
def test_unknown_requests_close_the_connection(broker, stored, key, version):
    with Connection(broker) as connection:
        connection.send(key, version, bytes(40))
        connection.expect_closed()


def bodies(topic):
    """A valid request of each kind that stores or reads."""
    yield kafka.METADATA, 1, W().i32(1).string(topic).bytes
    yield kafka.FETCH, 11, Connection.fetch_body([(topic, 0, 0)])
    yield kafka.LIST_OFFSETS, 2, W().i32(-1).i8(0).i32(1).string(topic).i32(1).i32(0).i64(-1).bytes
    yield kafka.FIND_COORDINATOR, 1, W().string("group").i8(0).bytes
    yield kafka.JOIN_GROUP, 2, W().string("group").i32(10000).i32(10000).string("").string("consumer").i32(1).string("range").data(b"").bytes
    yield kafka.OFFSET_COMMIT, 2, W().string("group").i32(-1).string("").i64(-1).i32(1).string(topic).i32(1).i32(0).i64(1).string("").bytes
    yield kafka.CREATE_TOPICS, 2, W().i32(1).string("cut").i32(1).i16(1).i32(0).i32(0).i32(1000).i8(1).bytes
    yield kafka.DESCRIBE_CONFIGS, 1, W().i32(1).i8(2).string(topic).i32(-1).i8(0).bytes


def test_bodies_cut_short_close_the_connection(broker, stored):
    for key, version, body in bodies(stored):
        for length in {0, 1, len(body) // 2, len(body) - 1}:
            with Connection(broker) as connection:
                connection.send(key, version, body[:length])
                connection.expect_closed()


def test_bodies_that_are_too_long_do_no_harm(broker, stored):
    for key, version, body in bodies(stored):
        with Connection(broker) as connection:
            sent = connection.send(key, version, body + bytes(1000))
            try:
                assert connection.receive()[0] == sent
            except Closed:
                pass


@pytest.mark.parametrize("count", [1000, 1 << 20, (1 << 31) - 1, -2, -(1 << 31)])
def test_counts_that_the_bytes_cannot_hold(broker, stored, count):
    for key, version, body in [
        (kafka.METADATA, 1, W().i32(count).bytes),
        (kafka.PRODUCE, 7, W().string(None).i16(-1).i32(1000).i32(count).bytes),
        (kafka.PRODUCE, 7, W().string(None).i16(-1).i32(1000).i32(1).string(stored).i32(count).bytes),
        (kafka.FETCH, 11, W().i32(-1).i32(0).i32(0).i32(1000).i8(0).i32(0).i32(-1).i32(count).bytes),
        (kafka.OFFSET_FETCH, 1, W().string("group").i32(count).bytes),
        (kafka.CREATE_TOPICS, 4, W().i32(count).bytes),
        (kafka.DESCRIBE_GROUPS, 0, W().i32(count).bytes),
    ]:
        with Connection(broker) as connection:
            connection.send(key, version, body)
            connection.expect_closed()


@pytest.mark.parametrize("size", [0x7FFF, -2])
def test_strings_longer_than_the_request(broker, stored, size):
    with Connection(broker) as connection:
        connection.send(kafka.FIND_COORDINATOR, 0, W().i16(size).raw(b"short").bytes)
        connection.expect_closed()


def test_records_field_longer_than_the_request(broker, stored):
    for size in (1 << 30, (1 << 31) - 1, -2):
        body = W().string(None).i16(-1).i32(1000).i32(1).string(stored).i32(1).i32(0).i32(size).raw(b"abc").bytes
        with Connection(broker) as connection:
            connection.send(kafka.PRODUCE, 7, body)
            connection.expect_closed()


def test_a_claim_of_20_million_tagged_fields(broker, stored):
    with Connection(broker) as connection:
        # In the header, where KafkaJS-like clients have none.
        frame = W().i16(kafka.METADATA).i16(9).i32(1).string("raw").uvarint(20_000_000).bytes
        connection.send_frame(frame + bytes(10))
        connection.expect_closed()
    with Connection(broker) as connection:
        body = W().uvarint(0).i8(0).i8(0).i8(0).uvarint(20_000_000).bytes
        connection.send(kafka.METADATA, 9, body, flexible=True)
        connection.expect_closed()


def test_20_million_tagged_fields_that_are_there(broker, stored):
    """Forty megabytes of the same empty field; and as much of it as a request without records may have."""
    for count in (20_000_000, 8_000_000):
        with Connection(broker) as connection:
            body = W().uvarint(0).i8(0).i8(0).i8(0).uvarint(count).bytes + bytes(2 * count)
            try:
                sent = connection.send(kafka.METADATA, 9, body, flexible=True)
                assert connection.receive()[0] == sent
            except Closed:
                pass


def test_requests_of_nothing_but_names_and_partitions(own_broker):
    """A name takes three bytes on the wire and a hundred in memory: such a request may not be as large as one of records."""
    broker = own_broker()
    count = 5_000_000
    with Connection(broker, timeout=60) as connection:
        try:
            connection.send(kafka.METADATA, 4, W().i32(count * 6).raw(b"\0\1?" * count * 6).i8(0).bytes)
            connection.receive()
        except Closed:
            pass
    with Connection(broker, timeout=60) as connection:
        connection.create_topic("t")
        partitions = W().i32(0).i32(-1).i64(0).i64(-1).i32(1000).bytes * (count // 2)
        head = W().i32(-1).i32(0).i32(1).i32(1000).i8(0).i32(0).i32(-1).i32(1).string("t").i32(count // 2)
        try:
            connection.send(kafka.FETCH, 11, head.raw(partitions).i32(0).string("").bytes)
            connection.receive()
        except Closed:
            pass
    with open(f"/proc/{broker.pid}/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    assert peak < 200 * MEGABYTE
    with Connection(broker) as connection:
        assert connection.api_versions()[0] == 0
        # What real clients send is far below.
        assert len(connection.metadata([f"t{number}" for number in range(50_000)])) == 50_000


def test_varints_without_end(broker, stored):
    with Connection(broker) as connection:
        connection.send(kafka.METADATA, 9, b"\xff" * 64, flexible=True)
        connection.expect_closed()


def test_random_bytes_behind_a_valid_header(broker, stored):
    for key, (low, high) in sorted(Connection(broker).api_versions()[1].items()):
        for version in {low, high}:
            with Connection(broker) as connection:
                data = zlib.compress(os.urandom(8)) * 6
                try:
                    connection.send(key, version, data)
                    connection.socket.settimeout(0.02)
                    connection.receive()
                except (Closed, TimeoutError):
                    pass
    broker.check_alive()


# Batches


def test_wrong_checksum(stored, wire):
    assert wire.produce(stored, batch([b"x"], crc=0x12345678))[0] == CORRUPT_MESSAGE


def test_every_flipped_byte_of_a_batch_is_refused(stored, wire):
    good = batch([b"x" * 20])
    for place in range(len(good)):
        if 12 <= place < 16:
            continue  # the leader epoch: the broker's own field, outside the checksum
        bad = bytearray(good)
        bad[place] ^= 0x40
        assert wire.produce(stored, bytes(bad))[0] in (CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE), place


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 5}, {"count": 1}, {"count": 0}, {"count": -1}, {"count": (1 << 31) - 1}, {"last_delta": 7}, {"last_delta": -1},
        {"count": 3, "last_delta": (1 << 31) - 1}, {"base_offset": 5}, {"attributes": 32},
    ],
    ids=str,
)
def test_records_that_the_header_does_not_describe(stored, wire, changes):
    assert wire.produce(stored, batch([b"a", b"b", b"c"], **changes))[0] == INVALID_RECORD


@pytest.mark.parametrize(
    "payload",
    [
        b"", record(0, b"a") + record(0, b"b") + b"trailing", record(0, b"a") + record(5, b"b"), record(1, b"a") + record(0, b"b"),
        varint(1 << 30) + bytes(20), varint(-5) + bytes(20), b"\xff" * 30, record(0, b"a") + varint(3) + b"\0\0\0",
        varint(12) + b"\0\0\0" + varint(-1) + varint(1000) + b"abc", varint(8) + b"\0\0\0" + varint(-1) + varint(-1) + varint(1 << 30),
    ],
    ids=["none", "more", "gap", "backwards", "long", "negative", "endless", "short", "value", "headers"],
)
def test_records_that_are_none(stored, wire, payload):
    assert wire.produce(stored, batch([b"", b""], payload=payload))[0] == INVALID_RECORD


def test_two_batches_in_one_request(stored, wire):
    assert wire.produce(stored, batch([b"a"]) + batch([b"b"]))[0] == INVALID_RECORD


def test_no_batch_at_all(stored, wire):
    assert wire.produce(stored, b"")[0] != 0
    assert wire.produce(stored, None)[0] != 0
    assert wire.produce(stored, b"short")[0] != 0


def old_message(magic, value=b"old"):
    """A message of the formats before 0.11."""
    body = struct.pack(">bb", magic, 0) + (struct.pack(">q", 1234) if magic else b"")
    body += struct.pack(">i", -1) + struct.pack(">i", len(value)) + value
    message = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", 0, len(message)) + message


@pytest.mark.parametrize("magic", [0, 1])
def test_old_message_formats(stored, wire, magic):
    assert wire.produce(stored, old_message(magic) + old_message(magic, bytes(80)))[0] == INVALID_RECORD


@pytest.mark.parametrize("magic", [0, 1, 3, 127, -1])
def test_batches_of_other_formats(stored, wire, magic):
    assert wire.produce(stored, batch([b"x"], magic=magic))[0] in (INVALID_RECORD, CORRUPT_MESSAGE)


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_unknown_codecs(stored, wire, codec):
    assert wire.produce(stored, batch([b"x"], attributes=codec))[0] != 0


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_payloads_that_are_not_compressed(stored, wire, codec):
    for payload in (b"", b"\0", os.urandom(50), b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\x7f\xff\xff\xff"):
        assert wire.produce(stored, batch([b"x"], attributes=codec, payload=payload))[0] != 0


def squeeze(codec, data):
    return {
        1: lambda: gzip.compress(data), 2: lambda: bytes(cramjam.snappy.compress_raw(data)),
        3: lambda: lz4.frame.compress(data), 4: lambda: zstandard.compress(data),
    }[codec]()


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_compressed_records_are_counted_too(stored, wire, codec, make_topic):
    payload = squeeze(codec, record(0, b"a") + record(1, b"b"))
    assert wire.produce(stored, batch([b"", b"", b""], attributes=codec, payload=payload))[0] == INVALID_RECORD
    assert wire.produce(stored, batch([b""], attributes=codec, payload=payload))[0] == INVALID_RECORD
    assert wire.produce(make_topic(), batch([b"", b""], attributes=codec, payload=payload))[0] == 0


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_compressed_payload_cut_short(stored, wire, codec):
    payload = squeeze(codec, record(0, os.urandom(5000)))
    assert wire.produce(stored, batch([b""], attributes=codec, payload=payload[:-40]))[0] != 0


def test_decompression_bombs(broker, stored):
    zeros = bytes(300 * MEGABYTE)
    bombs = [
        batch([b""], attributes=1, payload=gzip.compress(zeros, 6)),
        batch([b""], attributes=3, payload=lz4.frame.compress(zeros)[: 1000 * 1000]),
        batch([b""], attributes=4, payload=zstandard.compress(zeros)),
        # Snappy says how much is to come: four gigabytes in ten bytes.
        batch([b""], attributes=2, payload=uvarint((1 << 32) - 1) + b"\0\0"),
    ]
    del zeros
    for bomb in bombs:
        with Connection(broker, timeout=30) as connection:
            assert connection.produce(stored, bomb)[0] != 0
    with open(f"/proc/{broker.pid}/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    assert peak < 600 * MEGABYTE


def test_one_record_that_expands_to_much(broker, stored):
    """A record with its length right, 200 megabytes of it."""
    value = bytes(200 * MEGABYTE)
    payload = zstandard.compress(record(0, value))
    del value
    with Connection(broker, timeout=30) as connection:
        assert connection.produce(stored, batch([b""], attributes=4, payload=payload))[0] != 0


@pytest.mark.parametrize("acks", [2, 5, -2, 32767])
def test_acks_that_do_not_exist(stored, wire, acks):
    assert wire.produce(stored, batch([b"x"]), acks=acks)[0] == 21


def test_producing_where_nothing_is(wire, stored):
    assert wire.produce("no-such-topic", batch([b"x"]))[0] == 3
    assert wire.produce(stored, batch([b"x"]), partition=1)[0] == 3
    assert wire.produce(stored, batch([b"x"]), partition=-1)[0] == 3
    assert wire.produce(stored, batch([b"x"]), partition=(1 << 31) - 1)[0] == 3
    assert wire.produce("", batch([b"x"]))[0] in (3, 17)
    assert wire.produce("../../etc/passwd", batch([b"x"]))[0] in (3, 17)


def test_fetching_where_nothing_is(wire, stored):
    for offset in (101, -1, -2, (1 << 63) - 1, -(1 << 63)):
        assert wire.fetch_one(stored, offset, max_wait=0).error == 1, offset
    assert wire.fetch_one("no-such-topic").error == 3
    assert wire.fetch_one(stored, partition=1).error == 3
    assert wire.fetch_one(stored, partition=-1).error == 3
    # The end is no error: there may be more to come.
    assert wire.fetch_one(stored, 100, max_wait=0).error == 0


def test_negative_sizes_and_times_in_a_fetch(wire, stored):
    assert wire.fetch_one(stored, max_wait=-1, min_bytes=-1).error == 0
    # However little room there is, one whole batch comes.
    assert len(wire.fetch_one(stored, max_bytes=-1, partition_bytes=-1).values()) in (0, 100)
    assert len(wire.fetch_one(stored, max_bytes=0, partition_bytes=0).values()) in (0, 100)


def test_offsets_of_strange_times(wire, stored):
    assert wire.list_offset(stored, -1)[0::2] == (0, 100)
    assert wire.list_offset(stored, -2)[0::2] == (0, 0)
    assert wire.list_offset(stored, (1 << 63) - 1)[0::2] == (0, -1)
    assert wire.list_offset(stored, -100)[0] != 0
    assert wire.list_offset(stored, -(1 << 63))[0] != 0
    assert wire.list_offset(stored, 0, partition=9)[0] == 3


def test_half_requests_of_many_connections_keep_memory_bounded(own_broker):
    """Thirty clients claim requests of 30 megabytes each, and send half of that and no more."""
    broker = own_broker(queued_max_request_bytes=64 * MEGABYTE, socket_request_max_bytes=32 * MEGABYTE)
    piece = bytes(3 * MEGABYTE)
    connections = []
    for _ in range(30):
        connection = Connection(broker, timeout=0.1)
        connections.append(connection)
        try:
            connection.send_raw(struct.pack(">i", 30 * MEGABYTE))
            for _ in range(5):
                connection.send_raw(piece)
        except (Closed, TimeoutError):
            pass
    assert broker.resident_bytes() < 400 * MEGABYTE
    # Others are served meanwhile or shortly after: who holds half a request while memory is short must go.
    with Connection(broker, timeout=15) as other:
        assert other.api_versions()[0] == 0
        other.create_topic("large", 1)
        large = batch([bytes(MEGABYTE // 2)])
        assert other.produce("large", large)[0] == 0
    for connection in connections:
        connection.close()


def test_bomb_helper_is_a_bomb():
    assert len(gzip_bomb(MEGABYTE)) < 2000
