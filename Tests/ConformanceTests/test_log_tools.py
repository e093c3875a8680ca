"""`ottla log verify` and `ottla log dump` on folders as Kafka writes them, whole and broken, and on our own."""

import fcntl
import json
import subprocess
import struct

import pytest

import broker as broker_module
import kafka_folder as kafka
from wire import Connection, batch


def tool(command, path, *options):
    done = subprocess.run(
        [broker_module.PROGRAM, "log", command, str(path), *options], capture_output=True, timeout=60, text=True
    )
    return done.returncode, done.stdout, done.stderr


def verify(path, *options):
    """(exit code, findings, summary)."""
    status, output, errors = tool("verify", path, "--json", *options)
    assert output, errors
    lines = [json.loads(line) for line in output.splitlines()]
    return status, lines[:-1], lines[-1]


def damages(findings):
    return [one for one in findings if one["severity"] == "damage"]


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0x40
    path.write_bytes(data)


# Whole folders


def test_a_kafka_folder_with_kraft_is_whole(tmp_path):
    folder = kafka.kraft_folder(tmp_path / "data")
    before = contents(folder)
    status, findings, summary = verify(folder)
    assert status == 0
    assert [one for one in findings if one["severity"] != "note"] == []
    assert {key: summary[key] for key in ("partitions", "segments", "batches", "records", "problems", "warnings")} == {
        "partitions": 4, "segments": 7, "batches": 15, "records": 24, "problems": 0, "warnings": 0,
    }
    noted = {one["path"].rsplit("/", 1)[1].split(".")[0]: one["what"] for one in findings}
    assert "deleted" in noted["gone-0"] and "does not know" in noted["lost-0"] and "deleted" in noted[kafka.name(0, "")]
    assert contents(folder) == before, "nothing is mended"


def test_a_kafka_folder_with_old_formats_is_whole(tmp_path):
    folder = kafka.zookeeper_folder(tmp_path / "data")
    status, findings, summary = verify(folder)
    assert (status, damages(findings), summary["warnings"]) == (0, [], 0)
    assert (summary["segments"], summary["batches"], summary["records"]) == (10, 28, 82)


def test_old_formats_are_dumped_with_their_records(tmp_path):
    folder = kafka.zookeeper_folder(tmp_path / "data")
    for magic in (0, 1):
        status, output, errors = tool("dump", folder / f"old-{magic}", "--records", "--json")
        assert status == 0, errors
        batches = [json.loads(line) for line in output.splitlines()]
        records = [record for one in batches for record in one["content"]]
        assert [record["offset"] for record in records] == list(range(41))
        assert [record["value"] for record in records] == [f"v{number % 10}" for number in range(40)] + ["new"]
        assert {one["compression"] for one in batches} == {"none", "gzip", "snappy", "lz4"}
        if magic == 1:
            assert records[25]["timestamp"] == kafka.TIME + 25


def test_small_files_are_dumped(tmp_path):
    folder = kafka.kraft_folder(tmp_path / "data")

    def dump(path, *options):
        status, output, errors = tool("dump", folder / path, "--json", *options)
        assert status == 0, errors
        return [json.loads(line) for line in output.splitlines()]

    first = len(kafka.batch(0, [b"a", b"b"]).data)
    assert dump("orders-0/00000000000000000000.index")[0] == {"offset": 2, "position": first}
    assert dump("orders-0/00000000000000000011.timeindex") == [{"timestamp": kafka.TIME + 20, "offset": 11}]
    assert dump("orders-0/leader-epoch-checkpoint")[1] == {"epoch": 2, "startOffset": 8}
    assert dump("paid-0/00000000000000000000.txnindex") == [
        {"producerId": 9, "firstOffset": 0, "lastOffset": 2, "lastStableOffset": 3}
    ]
    (producer,) = dump("paid-0/00000000000000000005.snapshot")
    assert (producer["producerId"], producer["producerEpoch"], producer["lastSequence"], producer["lastOffset"]) == (9, 1, 2, 3)
    assert {"topic": "table", "partition": 0, "offset": 42} in dump("recovery-point-offset-checkpoint")
    assert len(dump("recovery-point-offset-checkpoint", "--max", "2")) == 2


def test_bytes_that_are_no_text_are_dumped_as_such(tmp_path):
    partition = kafka.Partition(tmp_path / "raw-0")
    partition.segment(0, [kafka.batch(0, [b"\xff\x00ok\n", b"plain"])])
    status, output, _ = tool("dump", partition.folder, "--records")
    assert status == 0
    assert r'value "\xff\x00ok\x0a"' in output and 'value "plain"' in output
    _, output, _ = tool("dump", partition.folder, "--records", "--json")
    assert json.loads(output)["content"][0]["valueHex"] == "ff006f6b0a"


# Damage


def test_damage_is_told_by_offset_and_position_and_passed_over(tmp_path):
    partition = kafka.Partition(tmp_path / "orders-0")
    chunks = [kafka.batch(base, [b"%d" % base] * 10) for base in range(0, 100, 10)]
    log = partition.segment(0, chunks)
    size = len(chunks[0].data)
    flip(log, sum(len(chunk.data) for chunk in chunks[:4]) + 80)
    status, findings, summary = verify(partition.folder)
    assert status == 1
    (damage,) = damages(findings)
    assert (damage["firstOffset"], damage["lastOffset"]) == (40, 49)
    assert damage["position"] == sum(len(chunk.data) for chunk in chunks[:4])
    assert (summary["batches"], summary["records"], summary["problems"]) == (9, 90, 1)
    _, output, _ = tool("verify", partition.folder)
    assert f"{log}: offset 40..49 (position {damage['position']}): the checksum is wrong" in output
    # The dump says so too, and goes on behind it.
    status, output, _ = tool("dump", partition.folder)
    assert status == 1
    assert f"DAMAGE at position {damage['position']}" in output and "90..99 at position" in output
    assert "40..49" not in output
    assert size > 61


def test_a_length_that_is_wrong_does_not_hide_what_follows(tmp_path):
    partition = kafka.Partition(tmp_path / "orders-0")
    chunks = [kafka.batch(base, [b"%d" % base] * 10) for base in range(0, 100, 10)]
    log = partition.segment(0, chunks)
    flip(log, len(chunks[0].data) + 9)
    status, findings, summary = verify(partition.folder)
    assert status == 1
    (damage,) = damages(findings)
    assert (damage["firstOffset"], damage["lastOffset"], summary["batches"]) == (10, 19, 9)


def test_a_batch_inside_of_a_damaged_record_is_not_taken_for_one(tmp_path):
    """A record's value may be a whole batch. Behind damage it must not be shown as if it stood in the log."""
    partition = kafka.Partition(tmp_path / "orders-0")
    inner = kafka.batch(3, [b"never written here"]).data
    chunks = [kafka.batch(0, [b"a"]), kafka.batch(1, [b"x" * 50 + inner + b"y" * 50]), kafka.batch(2, [b"b"])]
    log = partition.segment(0, chunks)
    flip(log, len(chunks[0].data) + 10)
    status, findings, _ = verify(partition.folder)
    assert status == 1
    (damage,) = damages(findings)
    assert (damage["firstOffset"], damage["lastOffset"]) == (1, 1)
    _, output, _ = tool("dump", partition.folder, "--records")
    assert "never written" not in output and 'value "b"' in output


def break_torn(folder):
    log = folder / "orders-0" / kafka.name(11, ".log")
    log.write_bytes(log.read_bytes()[:-5])


def break_zeros(folder):
    log = folder / "orders-0" / kafka.name(11, ".log")
    log.write_bytes(log.read_bytes() + bytes(4096))


def break_renamed(folder):
    orders = folder / "orders-0"
    (orders / kafka.name(8, ".log")).rename(orders / kafka.name(9, ".log"))


def break_duplicated(folder):
    orders = folder / "orders-0"
    (orders / kafka.name(5, ".log")).write_bytes((orders / kafka.name(0, ".log")).read_bytes())


def break_swapped(folder):
    one, other = folder / "orders-0" / kafka.name(8, ".log"), folder / "paid-0" / kafka.name(0, ".log")
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def break_lost_tail(folder):
    (folder / "orders-0" / kafka.name(11, ".log")).write_bytes(b"")


def break_file_for_folder(folder):
    (folder / "orders-7").write_text("not a folder")


def break_folder_for_file(folder):
    (folder / "orders-0" / kafka.name(12, ".log")).mkdir()


def break_link(folder):
    (folder / "loop-0").symlink_to(folder / "loop-0")


def break_identity(folder):
    (folder / "meta.properties").write_bytes(b"\xff\xfe\x00garbage")


def break_old_message(folder):
    kafka.zookeeper_folder(folder)
    flip(folder / "old-1" / kafka.name(0, ".log"), 20)


DAMAGES = [
    (break_torn, "orders-0", 11, "a torn batch"), (break_zeros, "orders-0", 12, "zeros"),
    (break_renamed, "orders-0", 8, "the file's name says that it begins at 9"),
    (break_duplicated, "orders-0", 0, "the file's name says that it begins at 5"),
    (break_swapped, "orders-0", 0, "the file's name says that it begins at 8"),
    (break_lost_tail, "orders-0", 11, "says that the disk held the log up to 12"),
    (break_file_for_folder, "orders-7", None, "a file, where a partition's folder should be"),
    (break_folder_for_file, "orders-0", None, "a folder, where a segment should be"),
    (break_link, "loop-0", None, "a broken or circular link"), (break_identity, "meta.properties", None, "version"),
    (break_old_message, "old-1", 0, "the checksum is wrong"),
]


@pytest.mark.parametrize("broken, where, offset, what", DAMAGES, ids=[one[0].__name__ for one in DAMAGES])
def test_every_kind_of_damage_has_a_sentence_and_ends_with_1(tmp_path, broken, where, offset, what):
    folder = kafka.kraft_folder(tmp_path / "data")
    broken(folder)
    before = contents(folder)
    status, findings, _ = verify(folder)
    assert status == 1, findings
    assert [
        one for one in damages(findings) if where in one["path"] and what in one["what"] and one.get("firstOffset") == offset
    ], findings
    assert contents(folder) == before


def spoil(name, data=b"\xff garbage"):
    def broken(folder):
        (folder / name).write_bytes(data)

    return broken


WARNINGS = {
    "index": spoil("orders-0/00000000000000000000.index", struct.pack(">ii", 2, 17)),
    "odd-index": spoil("orders-0/00000000000000000000.index", b"odd"),
    "timeindex": spoil("orders-0/00000000000000000000.timeindex", struct.pack(">qi", kafka.TIME * 2, 1)),
    "snapshot": spoil("orders-0/00000000000000000012.snapshot"),
    "txnindex": spoil("paid-0/00000000000000000000.txnindex"),
    "epochs": spoil("orders-0/leader-epoch-checkpoint"),
    "an-epoch-is-missing": spoil("orders-0/leader-epoch-checkpoint", b"0\n2\n0 0\n3 11\n"),
    "topic-id": spoil("orders-0/partition.metadata"),
    "recovery-points": spoil("recovery-point-offset-checkpoint"),
    "log-starts": spoil("log-start-offset-checkpoint"),
    "high-watermarks": spoil("replication-offset-checkpoint"),
    "cleaner": spoil("cleaner-offset-checkpoint"),
    "index-without-segment": spoil("orders-0/00000000000000000099.index", b""),
}


@pytest.mark.parametrize("kind", WARNINGS)
def test_what_a_start_mends_is_a_warning(tmp_path, kind):
    folder = kafka.kraft_folder(tmp_path / "data")
    WARNINGS[kind](folder)
    status, findings, summary = verify(folder)
    assert status == 0, findings
    assert damages(findings) == [] and summary["warnings"] > 0
    assert verify(folder, "--strict")[0] == 1


def test_a_segment_that_is_gone_is_told_by_its_offsets(tmp_path):
    folder = kafka.kraft_folder(tmp_path / "data")
    for suffix in (".log", ".index", ".timeindex"):
        (folder / "orders-0" / kafka.name(8, suffix)).unlink()
    _, findings, _ = verify(folder)
    (missing,) = [one for one in findings if "missing: the segment" in one["what"]]
    assert (missing["firstOffset"], missing["lastOffset"]) == (8, 10)


# Use


def test_wrong_use_ends_with_2(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "nowhere", __file__):
        status, _, errors = tool("verify", path)
        assert status == 2 and str(path) in errors
    assert tool("verify", tmp_path, "--nonsense")[0] == 2


def test_a_folder_whose_broker_runs_is_not_looked_at(own_broker):
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("t")
        connection.produce("t", batch([b"x"]))
    for path in (broker.data, broker.data / "t-0", broker.data / "t-0" / kafka.name(0, ".log")):
        status, _, errors = tool("verify", path)
        assert status == 2 and f"a broker is at work in {broker.data}" in errors
    broker.stop()
    status, findings, summary = verify(broker.data)
    assert (status, findings, summary["records"]) == (0, [], 1)
    broker.start()


def test_a_folder_that_kafka_has_locked_is_not_looked_at(tmp_path):
    folder = kafka.kraft_folder(tmp_path / "data")
    with open(folder / ".lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        status, _, errors = tool("verify", folder)
    assert status == 2 and "at work" in errors


def test_damaged_metadata_of_ours_is_found(own_broker):
    broker = own_broker()
    with Connection(broker) as connection:
        for number in range(5):
            connection.create_topic(f"t{number}")
    broker.stop()
    log = broker.data / "cluster-metadata" / "metadata.log"
    flip(log, 40)
    status, findings, _ = verify(broker.data)
    assert status == 1
    assert [one for one in damages(findings) if one["path"] == str(log) and "backup" in one["what"]]


# Served


def test_segments_that_kafka_wrote_are_served(own_broker):
    """A partition's files are replaced by Kafka's: indexes of another density, room reserved in them, snapshots, epochs."""
    broker = own_broker()
    with Connection(broker) as connection:
        connection.create_topic("orders")
        topic_id = connection.metadata(["orders"])["orders"][1]
    broker.stop()
    folder = broker.data / "orders-0"
    for path in folder.iterdir():
        path.unlink()
    made = kafka.kraft_folder(broker.folder / "kafka")
    for path in (made / "orders-0").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    kafka.Partition(folder, topic_id)
    for kill in (False, True):
        (broker.data / "recovery-point-offset-checkpoint").write_text("0\n0\n")
        broker.start()
        from clients import Confluent

        found = [record.value for record in Confluent.read(broker, "orders", {0: 12})[0]]
        assert found == [b"a", b"b", b"c"] + [b"d"] * 5 + [b"e", b"f", b"g", b"h"]
        with Connection(broker) as connection:
            assert connection.list_offset("orders", -1)[2] == 12
            assert connection.list_offset("orders", kafka.TIME + 10)[2] == 8
            # Kafka's snapshot is believed: this batch is a duplicate.
            duplicate = batch([b"h"], producer=(7, 0, 0))
            assert connection.produce("orders", duplicate)[:2] == (0, 11)
        broker.kill() if kill else broker.stop()
    broker.start()
