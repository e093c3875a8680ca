"""One of two data folders is removed, or its disk is not there at the start."""

import shutil

import pytest

from attempts import KAFKA_STORAGE_ERROR, Attempts, topic_over_both
from wire import Connection


def broker_with_two(broker_on, folder, **settings):
    """A broker, and what it has acknowledged in its first and its second folder."""
    broker = broker_on(folder / "a", folder / "b", **settings).start()
    attempts = [Attempts(broker, "t", partition) for partition in topic_over_both(broker)]
    assert [each.send(20) for each in attempts] == [0, 0]
    return broker, *attempts


def test_a_folder_that_is_removed_takes_only_its_partitions(broker_on, folder):
    """Files that are open outlive their names, so that it shows with the next segment: then nothing more is promised."""
    broker, good, bad = broker_with_two(broker_on, folder, log_segment_bytes=5000)
    shutil.rmtree(folder / "b")
    assert bad.send(1000) == KAFKA_STORAGE_ERROR
    assert bad.send(1) == KAFKA_STORAGE_ERROR
    assert good.send(200) == 0
    broker.kill()
    (folder / "b").mkdir()
    with pytest.raises(AssertionError, match="without their folders"):
        broker.start()


@pytest.mark.parametrize("kill", [False, True], ids=["SIGTERM", "SIGKILL"])
def test_a_disk_that_is_not_mounted_is_not_taken_for_a_new_one(broker_on, folder, kill):
    """Its partitions would begin again at offset 0. The start is refused, each time, until the disk is back."""
    broker, good, bad = broker_with_two(broker_on, folder)
    broker.kill() if kill else broker.stop()
    (folder / "b").rename(folder / "elsewhere")
    for _ in range(2):
        with pytest.raises(AssertionError, match=f"{folder}/b has nothing in it"):
            broker.start()
    shutil.rmtree(folder / "b")
    (folder / "elsewhere").rename(folder / "b")
    broker.start()
    good.check()
    bad.check()
    assert (good.send(5), bad.send(5)) == (0, 0)
    broker.stop()


def test_a_new_folder_is_taken_up_and_a_lost_one_can_be_given_up(broker_on, folder):
    broker, good, bad = broker_with_two(broker_on, folder)
    broker.stop()
    broker.log_dirs.append(folder / "c")
    broker.start()
    good.check()
    bad.check()
    broker.stop()
    # The second is lost for good: without it, its partitions begin anew.
    shutil.rmtree(folder / "b")
    broker.log_dirs.remove(folder / "b")
    broker.start()
    good.check()
    with Connection(broker) as connection:
        assert connection.list_offset("t", -1, bad.partition)[::2] == (0, 0)
    assert (good.send(5), Attempts(broker, "t", bad.partition).send(5)) == (0, 0)
    broker.stop()
