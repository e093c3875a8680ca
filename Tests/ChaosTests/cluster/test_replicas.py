"""The comparison of replicas sees what differs, and nothing else."""

import pytest

from replicas import compare, next_offset
from wire import batch

pytestmark = pytest.mark.short


def write(folder, *segments):
    folder.mkdir(parents=True)
    for first, *held in segments:
        (folder / f"{first:020}.log").write_bytes(b"".join(held))


def made(values, base):
    return batch(values, base_offset=base)


A, B, C = made([b"a", b"b"], 0), made([b"c"], 2), made([b"d"], 3)


@pytest.fixture
def brokers(tmp_path):
    def make(*replicas):
        for number, segments in enumerate(replicas):
            write(tmp_path / f"{number}" / "t-0", *segments)
        return {f"b{number}": tmp_path / f"{number}" for number in range(len(replicas))}

    return make


def test_the_same_batches_in_other_segments_are_the_same(brokers):
    assert compare(brokers([(0, A, B, C)], [(0, A), (2, B, C)], [(0, A, B, C), (4,)]), "t", 1) == []


def test_a_beginning_that_one_has_deleted_is_no_difference(brokers):
    assert compare(brokers([(0, A, B, C)], [(2, B, C)]), "t", 1) == []


def test_room_that_is_kept_at_the_end_is_no_batch(brokers):
    assert compare(brokers([(0, A, bytes(5000))], [(0, A)]), "t", 1) == []


def test_another_batch_at_an_offset(brokers):
    ((name, detail),) = compare(brokers([(0, A, B)], [(0, A, made([b"x"], 2))]), "t", 1)
    assert (name, detail["batches"], detail["ends"]) == ("divergence", [(2, "b1")], {})


def test_one_that_is_shorter(brokers):
    ((_, detail),) = compare(brokers([(0, A, B)], [(0, A)]), "t", 1)
    assert detail["ends"] == {"b0": 3, "b1": 2}


def test_offsets_are_counted_by_records():
    assert next_offset({0: A}) == 2
    assert next_offset({}) == 0
