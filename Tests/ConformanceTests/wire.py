"""Kafka's protocol by hand, as little of it as the tests need: what clients never send must be sent by somebody."""

import gzip
import socket
import struct
import uuid

PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP = 8, 9, 10, 11, 12, 13, 14
DESCRIBE_GROUPS, LIST_GROUPS, API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS = 15, 16, 18, 19, 20, 21
INIT_PRODUCER_ID, DESCRIBE_CONFIGS = 22, 32

ANSWER_SECONDS_MAX = 15


class W:
    """Builds a body."""

    def __init__(self):
        self._data = bytearray()

    @property
    def bytes(self):
        return bytes(self._data)

    def _put(self, form, value):
        self._data += struct.pack(form, value)
        return self

    def i8(self, value):
        return self._put(">b", value)

    def i16(self, value):
        return self._put(">h", value)

    def i32(self, value):
        return self._put(">i", value)

    def i64(self, value):
        return self._put(">q", value)

    def raw(self, value):
        self._data += value
        return self

    def string(self, value):
        if value is None:
            return self.i16(-1)
        data = value.encode()
        return self.i16(len(data)).raw(data)

    def data(self, value):
        return self.i32(-1) if value is None else self.i32(len(value)).raw(value)

    def uvarint(self, value):
        return self.raw(uvarint(value))

    def compact_string(self, value):
        if value is None:
            return self.uvarint(0)
        data = value.encode()
        return self.uvarint(len(data) + 1).raw(data)

    def compact_data(self, value):
        return self.uvarint(0) if value is None else self.uvarint(len(value) + 1).raw(value)

    def tags(self):
        return self.uvarint(0)


class R:
    """Takes a body apart."""

    def __init__(self, data):
        self._data = data
        self._position = 0

    @property
    def rest(self):
        return self._data[self._position :]

    def raw(self, count):
        left = len(self._data) - self._position
        assert 0 <= count <= left, f"{count} bytes wanted, {left} there"
        self._position += count
        return self._data[self._position - count : self._position]

    def _take(self, form, size):
        return struct.unpack(form, self.raw(size))[0]

    def i8(self):
        return self._take(">b", 1)

    def i16(self):
        return self._take(">h", 2)

    def i32(self):
        return self._take(">i", 4)

    def i64(self):
        return self._take(">q", 8)

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def string(self):
        size = self.i16()
        return None if size < 0 else self.raw(size).decode()

    def data(self):
        size = self.i32()
        return None if size < 0 else self.raw(size)

    def compact_string(self):
        size = self.uvarint()
        return None if size == 0 else self.raw(size - 1).decode()

    def compact_data(self):
        size = self.uvarint()
        return None if size == 0 else self.raw(size - 1)

    def uuid(self):
        return uuid.UUID(bytes=self.raw(16))

    def tags(self):
        for _ in range(self.uvarint()):
            self.uvarint()
            self.raw(self.uvarint())

    def array(self, element):
        return [element(self) for _ in range(self.i32())]

    def compact_array(self, element):
        return [element(self) for _ in range(self.uvarint() - 1)]


def uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint(value):
    return uvarint((value << 1) ^ (value >> 63) if value < 0 else value << 1)


# Record batches


def _crc32c_table():
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def record(offset_delta, value, key=None, timestamp_delta=0, headers=()):
    body = b"\0" + varint(timestamp_delta) + varint(offset_delta)
    for part in (key, value):
        body += varint(-1) if part is None else varint(len(part)) + part
    body += varint(len(headers))
    for header_key, header_value in headers:
        body += varint(len(header_key)) + header_key
        body += varint(-1) if header_value is None else varint(len(header_value)) + header_value
    return varint(len(body)) + body


def batch(
    values, *, timestamp=1_700_000_000_000, attributes=0, producer=(-1, -1, -1), count=None, last_delta=None, magic=2,
    base_offset=0, max_timestamp=None, payload=None, crc=None, key=None, length=None,
):
    """A record batch; every part can be set wrong."""
    if payload is None:
        payload = b"".join(record(place, value, key) for place, value in enumerate(values))
    count = len(values) if count is None else count
    last_delta = count - 1 if last_delta is None else last_delta
    max_timestamp = timestamp if max_timestamp is None else max_timestamp
    checked = struct.pack(
        ">hiqqqhii", attributes, last_delta, timestamp, max_timestamp, producer[0], producer[1], producer[2], count
    ) + payload
    crc = crc32c(checked) if crc is None else crc
    length = len(checked) + 9 if length is None else length
    return struct.pack(">qiibI", base_offset, length, -1, magic, crc) + checked


def gzip_bomb(byte_count):
    """A gzip batch whose records claim and are `byte_count` zeros."""
    return batch([b""], attributes=1, payload=gzip.compress(bytes(byte_count), 9))


def batches(data):
    """Yields (base offset, record count, attributes, bytes) of the whole batches in fetched records."""
    while len(data) >= 61:
        base_offset, length = struct.unpack(">qi", data[:12])
        if len(data) < 12 + length:
            return
        attributes = struct.unpack(">h", data[21:23])[0]
        count = struct.unpack(">i", data[57:61])[0]
        yield base_offset, count, attributes, data[: 12 + length]
        data = data[12 + length :]


# Connections


class Closed(Exception):
    """The broker has closed the connection."""


class Connection:
    def __init__(self, broker, timeout=ANSWER_SECONDS_MAX, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((getattr(broker, "host", "127.0.0.1"), broker.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    @staticmethod
    def header(key, version, correlation, client="raw", flexible=False):
        writer = W().i16(key).i16(version).i32(correlation).string(client)
        return (writer.tags() if flexible else writer).bytes

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed() from error

    def send_frame(self, frame):
        self.send_raw(struct.pack(">i", len(frame)) + frame)

    def send(self, key, version, body=b"", flexible=False):
        self.correlation += 1
        self.send_frame(self.header(key, version, self.correlation, flexible=flexible) + body)
        return self.correlation

    def _receive(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                piece = self.socket.recv(min(count - len(data), 1 << 20))
            except ConnectionResetError as error:
                raise Closed() from error
            if not piece:
                raise Closed()
            data += piece
        return bytes(data)

    def receive(self):
        """One answer: its correlation id, and a reader of what follows it."""
        size = struct.unpack(">i", self._receive(4))[0]
        assert 4 <= size < 1 << 30, f"an answer of {size} bytes"
        reader = R(self._receive(size))
        return reader.i32(), reader

    def ask(self, key, version, body=b"", flexible=False):
        sent = self.send(key, version, body, flexible)
        correlation, reader = self.receive()
        assert correlation == sent, f"answer {correlation} to request {sent}"
        if flexible and key != API_VERSIONS:
            reader.tags()
        return reader

    def expect_closed(self):
        """The broker must close, without another answer."""
        try:
            answer = self._receive(1)
        except Closed:
            return
        raise AssertionError(f"the broker answered: {answer!r}")

    # The few requests that tests need again and again

    def api_versions(self, version=0):
        reader = self.ask(API_VERSIONS, version)
        error = reader.i16()
        return error, {key: (low, high) for key, low, high in reader.array(lambda r: (r.i16(), r.i16(), r.i16()))}

    def create_topic(self, topic, partitions=1, configs=None, replication=1):
        body = W().i32(1).string(topic).i32(partitions).i16(replication).i32(0)
        body.i32(len(configs or {}))
        for key, value in (configs or {}).items():
            body.string(key).string(value)
        reader = self.ask(CREATE_TOPICS, 4, body.i32(10_000).i8(0).bytes)
        reader.i32()
        (result,) = reader.array(lambda r: (r.string(), r.i16(), r.string()))
        assert result[1] == 0, result

    def delete_topic(self, topic, version=6):
        """DeleteTopics by name; returns (the name in the answer, error)."""
        if version < 4:
            reader = self.ask(DELETE_TOPICS, version, W().i32(1).string(topic).i32(5000).bytes)
            reader.i32()
            (answer,) = reader.array(lambda r: (r.string(), r.i16()))
            return answer
        body = W().uvarint(2).compact_string(topic)
        if version == 6:
            body.raw(bytes(16)).tags()
        reader = self.ask(DELETE_TOPICS, version, body.i32(5000).tags().bytes, flexible=True)
        reader.i32()
        assert reader.uvarint() == 2
        name = reader.compact_string()
        if version == 6:
            reader.uuid()
        return name, reader.i16()

    @staticmethod
    def produce_body(topic, records, partition=0, acks=-1, transactional=None):
        return (
            W().string(transactional).i16(acks).i32(10_000).i32(1).string(topic).i32(1).i32(partition).data(records).bytes
        )

    def produce(self, topic, records, partition=0, acks=-1, version=7):
        """Sends one partition's records; returns (error, base offset, log append time)."""
        reader = self.ask(PRODUCE, version, self.produce_body(topic, records, partition, acks))
        return self.produced(reader, version)

    @staticmethod
    def produced(reader, version=7):
        assert reader.i32() == 1
        reader.string()
        assert reader.i32() == 1
        reader.i32()
        error, offset, time = reader.i16(), reader.i64(), reader.i64()
        return error, offset, time

    @staticmethod
    def fetch_body(
        partitions, *, max_wait=500, min_bytes=1, max_bytes=50 << 20, partition_bytes=1 << 20, session=0, epoch=-1,
        forgotten=(), isolation=0,
    ):
        """Fetch v11 of (topic, partition, offset)s."""
        body = W().i32(-1).i32(max_wait).i32(min_bytes).i32(max_bytes).i8(isolation).i32(session).i32(epoch)
        body.i32(len(partitions))
        for topic, partition, offset in partitions:
            body.string(topic).i32(1).i32(partition).i32(-1).i64(offset).i64(-1).i32(partition_bytes)
        body.i32(len(forgotten))
        for topic, partition in forgotten:
            body.string(topic).i32(1).i32(partition)
        return body.string("").bytes

    def fetch(self, partitions, **options):
        """Fetch v11; returns (error, session id, {(topic, partition): Fetched})."""
        return self.fetched(self.ask(FETCH, 11, self.fetch_body(partitions, **options)))

    @staticmethod
    def fetched(reader):
        reader.i32()
        error, session = reader.i16(), reader.i32()
        result = {}
        for _ in range(reader.i32()):
            topic = reader.string()
            for _ in range(reader.i32()):
                partition = reader.i32()
                fetched = Fetched()
                fetched.error, fetched.high_watermark = reader.i16(), reader.i64()
                fetched.last_stable_offset, fetched.log_start_offset = reader.i64(), reader.i64()
                reader.array(lambda r: (r.i64(), r.i64()))
                reader.i32()
                fetched.records = reader.data() or b""
                result[topic, partition] = fetched
        assert not reader.rest
        return error, session, result

    def fetch_one(self, topic, offset=0, partition=0, **options):
        error, _, result = self.fetch([(topic, partition, offset)], **options)
        assert error == 0
        return result[topic, partition]

    def metadata(self, topics):
        """Metadata v10: {name: (error, topic id, partition count)}."""
        body = W()
        if topics is None:
            body.uvarint(0)
        else:
            body.uvarint(len(topics) + 1)
            for topic in topics:
                body.raw(bytes(16)).compact_string(topic).tags()
        reader = self.ask(METADATA, 10, body.i8(0).i8(0).i8(0).tags().bytes, flexible=True)
        reader.i32()
        reader.compact_array(lambda r: (r.i32(), r.compact_string(), r.i32(), r.compact_string(), r.tags()))
        reader.compact_string()
        reader.i32()
        result = {}
        for _ in range(reader.uvarint() - 1):
            error, topic, id = reader.i16(), reader.compact_string(), reader.uuid()
            reader.i8()
            partitions = reader.compact_array(
                lambda r: (
                    r.i16(), r.i32(), r.i32(), r.i32(), r.compact_array(R.i32), r.compact_array(R.i32),
                    r.compact_array(R.i32), r.tags(),
                )
            )
            reader.i32()
            reader.tags()
            result[topic] = error, id, len(partitions)
        return result

    def list_offset(self, topic, timestamp, partition=0, version=2):
        """ListOffsets v2: (error, timestamp, offset)."""
        body = W().i32(-1).i8(0).i32(1).string(topic).i32(1).i32(partition).i64(timestamp).bytes
        reader = self.ask(LIST_OFFSETS, version, body)
        reader.i32()
        assert reader.i32() == 1
        reader.string()
        assert reader.i32() == 1
        reader.i32()
        return reader.i16(), reader.i64(), reader.i64()

    def init_producer_id(self):
        reader = self.ask(INIT_PRODUCER_ID, 0, W().string(None).i32(60_000).bytes)
        reader.i32()
        error, producer, epoch = reader.i16(), reader.i64(), reader.i16()
        assert error == 0
        return producer, epoch


class Fetched:
    """One partition of a fetch's answer."""

    error = high_watermark = last_stable_offset = log_start_offset = None
    records = b""

    def values(self, offset=0):
        """(offset, value) of the uncompressed records from `offset` on."""
        found = []
        for base, count, attributes, data in batches(self.records):
            assert attributes & 7 == 0
            reader = R(data[61:])
            for _ in range(count):
                reader_of_one = R(reader.raw(zigzag(reader)))
                reader_of_one.i8()
                zigzag(reader_of_one)
                delta = zigzag(reader_of_one)
                size = zigzag(reader_of_one)
                reader_of_one.raw(max(0, size))
                size = zigzag(reader_of_one)
                value = None if size < 0 else reader_of_one.raw(size)
                if base + delta >= offset:
                    found.append((base + delta, value))
        return found


def zigzag(reader):
    value = reader.uvarint()
    return value >> 1 ^ -(value & 1)
