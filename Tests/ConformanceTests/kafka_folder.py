"""Writes data folders as Kafka lays them out, without any code of ours: batches by kafka-python, the rest by struct."""

import base64
import struct
import uuid

from kafka.codec import lz4_encode
from kafka.record import legacy_records
from kafka.record.memory_records import MemoryRecordsBuilder
from wire import crc32c

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
TIME = 1_700_000_000_000


def _lz4_of_format_0(payload):
    """An LZ4 frame whose header has another checksum than LZ4's: nobody looked at it then."""
    frame = bytearray(lz4_encode(payload))
    frame[6 + (8 if frame[4] & 8 else 0)] ^= 0x5A
    return bytes(frame)


legacy_records.lz4_encode_old_kafka = _lz4_of_format_0


class Chunk:
    """One batch (or one wrapper of an old message set) with what indexes say of it."""

    def __init__(self, data, base, last, time):
        self.data, self.base, self.last, self.time = bytes(data), base, last, time


def batch(base, values, *, magic=2, codec=NONE, epoch=0, producer=None, time=TIME, transactional=False):
    """A batch as a broker stores it: kafka-python's, with offset and epoch as the leader assigns them."""
    options = {}
    if producer:
        options = dict(producer_id=producer[0], producer_epoch=producer[1], base_sequence=producer[2], transactional=transactional)
    # Format 0 keeps absolute offsets inside of a wrapper, format 1 relative ones.
    start = base if magic == 0 or (magic == 1 and codec == NONE) else 0
    builder = MemoryRecordsBuilder(magic, codec, 1 << 20, offset=start, **options)
    for number, value in enumerate(values):
        assert builder.append(timestamp=time + number, key=b"k%d" % (base + number), value=value) is not None
    builder.close()
    data = bytearray(builder.buffer())
    last = base + len(values) - 1
    if magic == 2:
        struct.pack_into(">q", data, 0, base)
        struct.pack_into(">i", data, 12, epoch)
    elif codec != NONE:
        struct.pack_into(">q", data, 0, last)
    return Chunk(data, base, last, -1 if magic == 0 else time + len(values) - 1)


def marker(offset, producer, commit, *, coordinator_epoch=0, epoch=0, time=TIME):
    """The control batch that ends a transaction."""
    key, value = struct.pack(">hh", 0, 1 if commit else 0), struct.pack(">hi", 0, coordinator_epoch)
    body = b"\0\0\0" + bytes([len(key) * 2]) + key + bytes([len(value) * 2]) + value + b"\0"
    payload = bytes([len(body) * 2]) + body
    checked = struct.pack(">hiqqqhii", 0x30, 0, time, time, producer[0], producer[1], -1, 1) + payload
    data = struct.pack(">qiibI", offset, len(checked) + 9, epoch, 2, crc32c(checked)) + checked
    return Chunk(data, offset, offset, time)


def name(base, suffix):
    return f"{base:020d}{suffix}"


def kafka_uuid(value):
    return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")


class Partition:
    """A partition's folder. `index_padding`: the room that Kafka reserves in the indexes of an active segment."""

    def __init__(self, folder, topic_id=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if topic_id is not None:
            (folder / "partition.metadata").write_text(f"version: 0\ntopic_id: {kafka_uuid(topic_id)}")

    def segment(self, base, chunks, index_padding=0):
        log, index, times = b"", b"", b""
        largest = None
        for chunk in chunks:
            if log:
                index += struct.pack(">ii", chunk.last - base, len(log))
            if chunk.time > (-1 if largest is None else largest):
                largest = chunk.time
                times += struct.pack(">qi", chunk.time, chunk.last - base)
            log += chunk.data
        (self.folder / name(base, ".log")).write_bytes(log)
        (self.folder / name(base, ".index")).write_bytes(index + bytes(8 * index_padding))
        (self.folder / name(base, ".timeindex")).write_bytes(times + bytes(12 * index_padding))
        return self.folder / name(base, ".log")

    def epochs(self, entries):
        lines = "".join(f"{epoch} {start}\n" for epoch, start in entries)
        (self.folder / "leader-epoch-checkpoint").write_text(f"0\n{len(entries)}\n{lines}")

    def snapshot(self, offset, producers):
        """Producers: (id, epoch, last sequence, last offset, offset delta, time, coordinator epoch, first offset)."""
        body = struct.pack(">i", len(producers)) + b"".join(struct.pack(">qhiqiqiq", *one) for one in producers)
        (self.folder / name(offset, ".snapshot")).write_bytes(struct.pack(">hI", 1, crc32c(body)) + body)

    def aborted(self, base, transactions):
        """Transactions: (producer id, first offset, last offset, last stable offset)."""
        data = b"".join(struct.pack(">hqqqq", 0, *one) for one in transactions)
        (self.folder / name(base, ".txnindex")).write_bytes(data)


def checkpoint(folder, file_name, offsets):
    lines = "".join(f"{topic} {partition} {offset}\n" for (topic, partition), offset in offsets.items())
    (folder / file_name).write_text(f"0\n{len(offsets)}\n{lines}")


def kraft_folder(folder):
    """A data folder of a Kafka broker with KRaft, stopped in order: every kind of file that it may hold."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".lock").touch()
    (folder / ".kafka_cleanshutdown").write_text('{"version":0,"brokerEpoch":17}')
    (folder / "meta.properties").write_text(
        "#\n#Thu Nov 20 12:00:00 UTC 2025\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\ndirectory.id=9W-0VCVTqqL0Bz-4Xg5hTw\n"
        "node.id=1\nversion=1\n"
    )
    (folder / "bootstrap.checkpoint").write_bytes(batch(0, [b"bootstrap"]).data)

    orders = Partition(folder / "orders-0", uuid.UUID(int=0x1234567890ABCDEF1234567890ABCDEF))
    orders.segment(0, [batch(0, [b"a", b"b"]), batch(2, [b"c"], codec=GZIP), batch(3, [b"d"] * 5, codec=SNAPPY)])
    orders.segment(8, [batch(8, [b"e"], codec=LZ4, epoch=2, time=TIME + 10), batch(9, [b"f", b"g"], codec=ZSTD, epoch=2)])
    orders.segment(11, [batch(11, [b"h"], producer=(7, 0, 0), epoch=3, time=TIME + 20)], index_padding=100)
    orders.epochs([(0, 0), (2, 8), (3, 11)])
    orders.snapshot(8, [])
    orders.snapshot(12, [(7, 0, 0, 11, 0, TIME + 20, -1, -1)])

    paid = Partition(folder / "paid-0", uuid.UUID(int=2))
    paid.segment(0, [
        batch(0, [b"x", b"y"], producer=(9, 1, 0), transactional=True), marker(2, (9, 1), commit=False),
        batch(3, [b"z"], producer=(9, 1, 2), transactional=True), marker(4, (9, 1), commit=True),
    ])
    paid.aborted(0, [(9, 0, 2, 3)])
    paid.epochs([(0, 0)])
    paid.snapshot(5, [(9, 1, 2, 3, 0, TIME, 0, -1)])

    compacted = Partition(folder / "table-0", uuid.UUID(int=3))
    compacted.segment(0, [batch(4, [b"kept"]), batch(17, [b"kept"])])
    compacted.segment(30, [batch(41, [b"kept"])])
    compacted.epochs([(0, 0)])

    metadata = Partition(folder / "__cluster_metadata-0", uuid.UUID(int=1))
    metadata.segment(0, [batch(0, [b"record"] * 3), batch(3, [b"record"])])
    metadata.epochs([(0, 0)])
    (metadata.folder / "00000000000000000003-0000000000.checkpoint").write_bytes(batch(0, [b"snapshot"]).data)
    (metadata.folder / "quorum-state").write_text('{"leaderId":1,"leaderEpoch":1,"votedId":-1,"data_version":1}')

    deleted = Partition(folder / f"gone-0.{uuid.UUID(int=5).hex}-delete", uuid.UUID(int=5))
    deleted.segment(0, [batch(0, [b"gone"])])
    stray = Partition(folder / f"lost-0.{uuid.UUID(int=6).hex}-stray", uuid.UUID(int=6))
    stray.segment(0, [batch(0, [b"lost"])])
    (orders.folder / name(0, ".log.deleted")).write_bytes(b"anything")

    ends = {("orders", 0): 12, ("paid", 0): 5, ("table", 0): 42}
    checkpoint(folder, "recovery-point-offset-checkpoint", ends)
    checkpoint(folder, "replication-offset-checkpoint", ends)
    checkpoint(folder, "log-start-offset-checkpoint", {("orders", 0): 1})
    checkpoint(folder, "cleaner-offset-checkpoint", {("table", 0): 42})
    return folder


def zookeeper_folder(folder):
    """A data folder of an old Kafka broker: ZooKeeper's meta.properties, message formats 0 and 1 beside 2."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.properties").write_text("#\nbroker.id=3\nversion=0\ncluster.id=abcdefghijklmnopqrstuv\n")
    for magic in (0, 1):
        partition = Partition(folder / f"old-{magic}")
        for place, codec in enumerate((NONE, GZIP, SNAPPY, LZ4)):
            base = place * 10
            chunks = [batch(base, [b"v%d" % number for number in range(10)], magic=magic, codec=codec, time=TIME + base)]
            if codec == NONE:
                # Without compression each message is an entry of its own.
                chunks = [batch(number, [b"v%d" % number], magic=magic, time=TIME + number) for number in range(10)]
            partition.segment(base, chunks)
        partition.segment(40, [batch(40, [b"new"], time=TIME + 100)])
    checkpoint(folder, "recovery-point-offset-checkpoint", {("old", 0): 41, ("old", 1): 41})
    checkpoint(folder, "replication-offset-checkpoint", {("old", 0): 41, ("old", 1): 41})
    return folder
