"""A broker on folders that somebody has damaged, mixed up or put foreign things into.

Whatever it finds: it starts, or says in a sentence that names the file why it does not; what is whole is served, what is
not is refused by code or kept under another name, and nothing is lost without a word. The next start does the same.
"""

import os
import re
import shutil
import struct
import subprocess

import pytest

import broker as broker_module
from broker import Broker
from wire import Connection, batch

LOG, INDEX, TIMEINDEX = "00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex"
OUT_OF_RANGE, CORRUPT, STORAGE = 1, 2, 56
COUNT = 60


def values(topic):
    return [b"%s %d " % (topic.encode(), number) + bytes(100) for number in range(COUNT)]


class Case:
    """A stopped broker with two topics of several segments, and what was acknowledged in them."""

    def __init__(self, folder):
        self.broker = Broker(folder, {"log.segment.bytes": "2000", "log.index.interval.bytes": "400", "ottla.shards": "2"})
        self.broker.start()
        with Connection(self.broker) as connection:
            for topic in ("one", "two"):
                connection.create_topic(topic)
                for value in values(topic):
                    assert connection.produce(topic, batch([value]))[0] == 0
        self.broker.stop()
        self.data = self.broker.data

    def segments(self, topic):
        return sorted((self.data / f"{topic}-0").glob("*.log"))

    def said(self):
        """What the broker wrote since the last call."""
        text = self.broker.log.read_text()
        self.broker.log.write_text("")
        assert "Fatal error" not in text and "Crash" not in text, text
        return text

    def start(self):
        self.said()
        self.broker.start()
        self.broker.check_alive()

    def stop(self, kill=False):
        self.broker.check_alive()
        self.broker.kill() if kill else self.broker.stop()

    def refused(self):
        """The start must end by itself with exit code 1; what it said."""
        self.said()
        done = subprocess.run(
            [broker_module.PROGRAM, "serve", "--data-dir", str(self.data), "--listen", "127.0.0.1:0"],
            capture_output=True, timeout=30, text=True,
        )
        assert done.returncode == 1, (done.returncode, done.stderr)
        assert "Fatal" not in done.stderr
        return done.stderr

    def read(self, topic):
        """{offset: value} of everything that can be read, and {offset: error} of what is refused, offset by offset."""
        found, refused = {}, {}
        with Connection(self.broker) as connection:
            for offset in range(COUNT):
                answer = connection.fetch_one(topic, offset, partition_bytes=1, max_wait=0, min_bytes=0)
                if answer.error:
                    refused[offset] = answer.error
                    continue
                for at, value in answer.values(offset):
                    found[at] = value
        for offset, value in found.items():
            assert value == values(topic)[offset], f"{topic} at {offset}: {value[:20]}"
        return found, refused

    def is_whole(self, topic):
        found, refused = self.read(topic)
        return not refused and list(found) == list(range(COUNT))

    def makes_topics(self, name):
        with Connection(self.broker) as connection:
            connection.create_topic(name)
            assert connection.produce(name, batch([b"new"]))[:2] == (0, 0)


@pytest.fixture
def case(tmp_path):
    case = Case(tmp_path)
    yield case
    if case.broker.process is not None:
        case.broker.stop()


both_stops = pytest.mark.parametrize("clean", [True, False], ids=["after-a-clean-stop", "after-a-crash"])


def crash(case):
    """Takes away what says that the folder was closed in order."""
    (case.data / ".kafka_cleanshutdown").unlink()
    (case.data / "recovery-point-offset-checkpoint").unlink()


# Things that do not belong there


def test_garbage_files_are_left_alone(case):
    strange = {
        case.data / "notes.txt": b"mine", case.data / "one-0" / "notes.txt": b"mine",
        case.data / "one-0" / "0000.log": b"garbage", case.data / "-0": b"", case.data / "one-x": b"",
    }
    for path, data in strange.items():
        path.write_bytes(data)
    for _ in range(2):
        case.start()
        assert case.is_whole("one") and case.is_whole("two")
        case.stop()
    assert {path: path.read_bytes() for path in strange} == strange


def test_a_partition_that_the_cluster_does_not_know_is_kept(case):
    shutil.copytree(case.data / "one-0", case.data / "foreign-0")
    (case.data / "one-7").mkdir()
    (case.data / "one-7" / LOG).write_bytes(b"of no partition")
    case.start()
    said = case.said()
    assert f"{case.data}/foreign-0 belongs to no partition" in said and f"{case.data}/one-7 belongs to no partition" in said
    for name, data in (("foreign-0", case.segments("one")[0].read_bytes()), ("one-7", b"of no partition")):
        (stray,) = [path for path in case.data.iterdir() if path.name.startswith(name + ".") and path.name.endswith("-stray")]
        assert (stray / LOG).read_bytes() == data
        assert str(stray) in said
    assert case.is_whole("one") and case.is_whole("two")
    case.stop()
    case.start()
    assert "belongs to no partition" not in case.said()
    assert len([path for path in case.data.iterdir() if path.name.endswith("-stray")]) == 2


def test_folders_of_two_topics_that_were_swapped_are_set_aside(case):
    one, two, between = case.data / "one-0", case.data / "two-0", case.data / "between"
    one.rename(between), two.rename(one), between.rename(two)
    case.start()
    said = case.said()
    for topic in ("one", "two"):
        assert f"{case.data}/{topic}-0 belongs to no partition of this cluster" in said
        found, refused = case.read(topic)
        assert found == {}
    strays = [path for path in case.data.iterdir() if path.name.endswith("-stray")]
    assert len(strays) == 2
    assert sum(len(path.read_bytes()) > 0 for stray in strays for path in stray.glob("*.log")) > 4
    case.stop()
    case.start()
    assert "belongs to no partition" not in case.said()


def test_the_topic_id_of_another_partition(case):
    """Only partition.metadata was swapped."""
    (case.data / "one-0" / "partition.metadata").write_bytes((case.data / "two-0" / "partition.metadata").read_bytes())
    before = case.segments("one")[0].read_bytes()
    case.start()
    said = case.said()
    assert f"{case.data}/one-0 belongs to no partition of this cluster (topic id" in said and "kept as" in said
    (stray,) = [path for path in case.data.iterdir() if path.name.endswith("-stray")]
    assert (stray / LOG).read_bytes() == before
    assert case.is_whole("two")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe garbage", b"version: 9\ntopic_id: x"], ids=["empty", "garbage", "version"])
def test_a_partition_metadata_that_says_nothing(case, data):
    (case.data / "one-0" / "partition.metadata").write_bytes(data)
    case.start()
    assert f"{case.data}/one-0/partition.metadata is damaged" in case.said()
    assert case.is_whole("one")


# Whose folder it is


def properties(case):
    return (case.data / "meta.properties").read_text()


def test_a_folder_of_another_node(case):
    text = properties(case)
    (case.data / "meta.properties").write_text(text.replace("node.id=1", "node.id=42"))
    for _ in range(2):
        said = case.refused()
        assert f"{case.data}/meta.properties" in said and "node 42" in said and "node.id is 1" in said
    (case.data / "meta.properties").write_text(text)
    case.start()
    assert case.is_whole("one")


def test_a_folder_of_another_cluster(case):
    """The metadata log knows which cluster this is."""
    text = properties(case)
    own = re.search(r"cluster.id=(\S+)", text).group(1)
    (case.data / "meta.properties").write_text(text.replace(own, "AAAAAAAAAAAAAAAAAAAAAA"))
    for _ in range(2):
        said = case.refused()
        assert f"{case.data}/meta.properties" in said and "AAAAAAAAAAAAAAAAAAAAAA" in said and own in said
    (case.data / "meta.properties").write_text(text)
    case.start()
    assert case.is_whole("one")


def test_two_folders_of_two_clusters(case, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "meta.properties").write_text(properties(case).replace("cluster.id=", "cluster.id=x"))
    own = re.search(r"cluster.id=(\S+)", properties(case)).group(1)
    case.data = f"{case.data},{other}"
    case.said()
    done = subprocess.run(
        [broker_module.PROGRAM, "serve", "--set", f"log.dirs={case.data}", "--listen", "127.0.0.1:0"],
        capture_output=True, timeout=30, text=True,
    )
    assert done.returncode == 1
    assert f"{other}/meta.properties" in done.stderr and f"x{own}" in done.stderr and own in done.stderr


def test_a_partition_in_two_folders(case, tmp_path):
    """Whichever the broker took, what the other one holds would be missed by no one."""
    other = tmp_path / "other"
    shutil.copytree(case.data / "one-0", other / "one-0")
    command = [broker_module.PROGRAM, "serve", "--listen", "127.0.0.1:0", "--set", f"log.dirs={case.data},{other}"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, timeout=30, text=True)
        assert done.returncode == 1 and not (other / "meta.properties").exists()
        assert f"{case.data}/one-0 and {other}/one-0 are of the same partition" in done.stderr
    shutil.rmtree(other)
    case.start()
    assert case.is_whole("one")


@pytest.mark.parametrize("data", [b"", b"\xff\x00garbage\n=\n==", b"version=1\n", b"version=7\ncluster.id=x\nnode.id=1\n"])
def test_a_meta_properties_that_cannot_be_read(case, data):
    good = properties(case)
    (case.data / "meta.properties").write_bytes(data)
    for _ in range(2):
        said = case.refused()
        assert f"{case.data}/meta.properties" in said and "copy" in said
    assert (case.data / "meta.properties").read_bytes() == data
    (case.data / "meta.properties").write_text(good)
    case.start()
    assert case.is_whole("one") and case.is_whole("two")


def test_a_meta_properties_that_is_gone_is_made_anew_for_the_same_cluster(case):
    own = re.search(r"cluster.id=(\S+)", properties(case)).group(1)
    (case.data / "meta.properties").unlink()
    for _ in range(2):
        case.start()
        assert f"cluster.id={own}\nnode.id=1\n" in properties(case)
        assert case.is_whole("one")
        case.stop()


def test_a_folder_that_another_broker_uses(case):
    case.start()
    said = case.refused()
    assert f"{case.data} is in use by another broker" in said
    assert case.is_whole("one")


def test_a_lost_metadata_log(case):
    shutil.move(case.data / "cluster-metadata", case.broker.folder / "kept")
    before = {path: path.read_bytes() for path in case.segments("one")}
    for _ in range(2):
        said = case.refused()
        assert str(case.data) in said and "cluster-metadata" in said and "copy" in said
    assert {path: path.read_bytes() for path in case.segments("one")} == before
    shutil.rmtree(case.data / "cluster-metadata", ignore_errors=True)
    shutil.move(case.broker.folder / "kept", case.data / "cluster-metadata")
    case.start()
    assert case.is_whole("one")


def test_a_damaged_metadata_log(case):
    path = case.data / "cluster-metadata" / "metadata.log"
    good = path.read_bytes()
    path.write_bytes(good[:30] + bytes([good[30] ^ 1]) + good[31:])
    for _ in range(2):
        said = case.refused()
        assert str(path) in said and "backup" in said
    path.write_bytes(good)
    case.start()
    assert case.is_whole("one")


# Segments


@both_stops
def test_a_segment_that_was_cut_short(case, clean):
    segments = case.segments("one")
    victim = segments[1]
    base, next_base = int(victim.stem), int(segments[2].stem)
    data = victim.read_bytes()
    victim.write_bytes(data[: len(data) // 2])
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        found, refused = case.read("one")
        missing = set(range(COUNT)) - set(found)
        assert missing and missing <= set(range(base, next_base)), missing
        assert case.is_whole("two")
        said = case.said()
        assert str(victim) in said, said
        case.stop(kill=not clean)


@both_stops
def test_the_last_segment_was_cut_short(case, clean):
    victim = [path for path in case.segments("one") if path.stat().st_size][-1]
    data = victim.read_bytes()
    victim.write_bytes(data[:-10])
    if not clean:
        crash(case)
    case.start()
    assert str(victim) in case.said()
    found, _ = case.read("one")
    assert list(found) == list(range(COUNT - 1))
    case.stop()
    case.start()
    assert list(case.read("one")[0]) == list(range(COUNT - 1))


@both_stops
def test_a_segment_under_a_wrong_name(case, clean):
    """Its batches begin before its name says."""
    segments = case.segments("one")
    victim = segments[1]
    wrong = victim.with_name(f"{int(victim.stem) + 1:020d}.log")
    for suffix in (".log", ".index", ".timeindex"):
        victim.with_suffix(suffix).rename(wrong.with_suffix(suffix))
    data = wrong.read_bytes()
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        found, refused = case.read("one")
        said = case.said()
        assert set(range(COUNT)) - set(range(int(victim.stem), int(segments[2].stem))) <= set(found)
        assert str(wrong) in said or str(segments[0]) in said, said
        assert case.is_whole("two")
        case.stop(kill=not clean)
    kept = list((case.data / "one-0").glob(wrong.name + "*"))
    assert any(path.read_bytes() == data for path in kept), "its bytes are kept"


@both_stops
def test_segments_of_two_partitions_swapped(case, clean):
    """Same base offset, same topic-independent format: only the offsets could tell. Nothing of it may crash the broker."""
    one, two = case.segments("one")[2], case.segments("two")[3]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        for topic, victim in (("one", one), ("two", two)):
            found, refused = {}, {}
            with Connection(case.broker) as connection:
                for offset in range(COUNT):
                    answer = connection.fetch_one(topic, offset, partition_bytes=1, max_wait=0, min_bytes=0)
                    for at, value in answer.values(offset):
                        assert value in (values("one")[at], values("two")[at])
                        found[at] = value
            number = case.segments(topic).index(victim)
            low, high = int(victim.stem), int(case.segments(topic)[number + 1].stem)
            assert set(range(COUNT)) - set(range(low, high)) <= set(found)
        said = case.said()
        assert str(one) in said and str(two) in said, said
        case.stop(kill=not clean)


@both_stops
def test_a_segment_twice_under_two_base_offsets(case, clean):
    segments = case.segments("one")
    base, next_base = int(segments[1].stem), int(segments[2].stem)
    copy = segments[1].with_name(f"{base + 2:020d}.log")
    assert base + 2 < next_base
    copy.write_bytes(segments[1].read_bytes())
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        found, _ = case.read("one")
        assert set(range(COUNT)) - set(range(base, next_base)) <= set(found)
        said = case.said()
        assert str(copy) in said or str(segments[1]) in said, said
        case.stop(kill=not clean)


@both_stops
def test_a_segment_that_is_gone(case, clean):
    segments = case.segments("one")
    low, high = int(segments[1].stem), int(segments[2].stem)
    for suffix in (".log", ".index", ".timeindex"):
        segments[1].with_suffix(suffix).unlink()
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        found, _ = case.read("one")
        assert set(found) == set(range(COUNT)) - set(range(low, high))
        said = case.said()
        assert f"{low} to {high - 1} are missing" in said, said
        case.stop(kill=not clean)


@both_stops
def test_a_segment_of_garbage(case, clean):
    segments = case.segments("one")
    low, high = int(segments[1].stem), int(segments[2].stem)
    garbage = os.urandom(5000)
    segments[1].write_bytes(garbage)
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        found, refused = case.read("one")
        assert set(found) == set(range(COUNT)) - set(range(low, high))
        said = case.said()
        assert str(segments[1]) in said, said
        case.stop(kill=not clean)
    assert segments[1].read_bytes() == garbage


@both_stops
def test_a_last_segment_of_garbage_is_kept_or_named(case, clean):
    victim = case.segments("one")[-1]
    victim.write_bytes(os.urandom(5000))
    if not clean:
        crash(case)
    case.start()
    assert str(victim) in case.said()
    found, _ = case.read("one")
    assert set(range(int(victim.stem))) <= set(found)
    case.stop()
    case.start()
    assert set(range(int(victim.stem))) <= set(case.read("one")[0])


# Hints


@both_stops
def test_indexes_swapped(case, clean):
    for suffix in (".index", ".timeindex"):
        one, two = case.segments("one")[0].with_suffix(suffix), case.segments("one")[2].with_suffix(suffix)
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        assert case.is_whole("one") and case.is_whole("two")
        with Connection(case.broker) as connection:
            assert connection.list_offset("one", 1_700_000_000_000)[2] == 0
        case.stop(kill=not clean)


CHECKPOINTS = [
    "recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "one-0/leader-epoch-checkpoint",
    "one-0/append-time-checkpoint", ".kafka_cleanshutdown", "replication-offset-checkpoint", "cleaner-offset-checkpoint",
]
GARBAGE = {
    "empty": b"", "binary": b"\xff\x00\x80" * 50, "half": b"0\n5\none 0 1\n", "huge": b"0\n1\none 0 9223372036854775807\n",
    "negative": b"0\n1\none 0 -9\n", "far": b"0\n1\none 0 1000000\n",
}


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_of_garbage(case, name, kind):
    (case.data / name).write_bytes(GARBAGE[kind])
    for _ in range(2):
        case.start()
        assert case.is_whole("one") and case.is_whole("two")
        with Connection(case.broker) as connection:
            assert connection.list_offset("one", -1)[2] == COUNT
        case.stop()


def test_a_snapshot_of_garbage(case):
    for path in (case.data / "one-0").glob("*.snapshot"):
        path.write_bytes(b"garbage")
    case.start()
    assert ".snapshot is damaged and not used" in case.said()
    assert case.is_whole("one")


# What is not of its kind


def test_a_file_where_a_partition_should_be(case):
    shutil.rmtree(case.data / "one-0")
    (case.data / "one-0").write_text("a file")
    for _ in range(2):
        case.start()
        said = case.said()
        assert f"{case.data}/one-0" in said and "offline" in said, said
        assert set(case.read("one")[1].values()) == {STORAGE}
        assert case.is_whole("two")
        case.makes_topics(f"new{case.broker.pid}")
        case.stop()
    assert (case.data / "one-0").read_text() == "a file"


@both_stops
@pytest.mark.parametrize("number", [0, 1, -1])
def test_a_folder_where_a_segment_should_be(case, clean, number):
    victim = case.segments("one")[number]
    victim.unlink()
    victim.mkdir()
    if not clean:
        crash(case)
    for _ in range(2):
        case.start()
        said = case.said()
        assert str(victim) in said, said
        assert case.is_whole("two")
        found, refused = case.read("one")
        assert len(found) + len(refused) > 0
        case.stop()
    assert victim.is_dir()


HINTS = [
    "one-0/leader-epoch-checkpoint", f"one-0/{INDEX}", f"one-0/{TIMEINDEX}", "one-0/partition.metadata",
    "recovery-point-offset-checkpoint", "log-start-offset-checkpoint",
]


@pytest.mark.parametrize("name", HINTS)
def test_a_folder_where_a_small_file_should_be(case, name):
    path = case.data / name
    path.unlink(missing_ok=True)
    path.mkdir()
    for _ in range(2):
        said = ""
        try:
            case.start()
        except AssertionError as error:
            said = str(error)
        if case.broker.process is None:
            # Refused: with the file's name, and nothing else happened.
            assert str(path) in said, said
        else:
            assert case.is_whole("two")
            assert case.is_whole("one") or str(path) in case.said()
            case.stop()
    assert path.is_dir()


def test_a_file_where_the_metadata_folder_should_be(case):
    shutil.move(case.data / "cluster-metadata", case.broker.folder / "kept")
    (case.data / "cluster-metadata").write_text("a file")
    for _ in range(2):
        said = case.refused()
        assert f"{case.data}/cluster-metadata" in said
    assert (case.data / "cluster-metadata").read_text() == "a file"


def test_a_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "data").write_text("a file")
    done = subprocess.run(
        [broker_module.PROGRAM, "serve", "--data-dir", str(tmp_path / "data"), "--listen", "127.0.0.1:0"],
        capture_output=True, timeout=30, text=True,
    )
    assert done.returncode == 1 and str(tmp_path / "data") in done.stderr


@pytest.mark.parametrize("where", ["one-0", "one-0/" + LOG, "loop-0", "loop"])
def test_a_circular_link(case, where):
    path = case.data / where
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(path)
    for turn in range(2):
        case.start()
        said = case.said()
        # A name like a partition's is set aside at the first start; a strange one is nobody's business.
        if where.startswith("one") or (where == "loop-0" and turn == 0):
            assert str(path) in said, said
        assert case.is_whole("two")
        case.stop()


def test_a_link_to_the_data_folder_inside_of_it(case):
    (case.data / "inside-0").symlink_to(case.data)
    for _ in range(2):
        case.start()
        assert case.is_whole("one") and case.is_whole("two")
        case.stop()


def test_a_partition_behind_a_link_is_served(case, tmp_path):
    shutil.move(case.data / "one-0", tmp_path / "elsewhere")
    (case.data / "one-0").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        case.start()
        assert case.is_whole("one")
        case.stop()


@pytest.mark.parametrize("where", ["one-0", "one-0/" + LOG, "meta.properties", "cluster-metadata/metadata.log", "."])
def test_no_permission(case, where):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = case.data / where
    path.chmod(0)
    try:
        try:
            case.start()
            assert case.is_whole("two") and str(path) in case.said()
        except AssertionError as error:
            assert str(path).rstrip("/.") in str(error)
    finally:
        if case.broker.process is not None:
            case.broker.stop()
        path.chmod(0o755)
