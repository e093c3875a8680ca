"""Records to one partition, one after the other, and where the partitions of a broker with two data folders are."""

import time

from wire import Closed, Connection, W, batch

KAFKA_STORAGE_ERROR = 56
SEND_SECONDS_MAX = 15
DESCRIBE_LOG_DIRS = 35


def describe_log_dirs(broker):
    """{path: (error, {topic})}"""
    with Connection(broker) as connection:
        reader = connection.ask(DESCRIBE_LOG_DIRS, 1, W().i32(-1).bytes)
    reader.i32()

    def topic(r):
        return r.string(), r.array(lambda p: (p.i32(), p.i64(), p.i64(), p.i8()))

    found = reader.array(lambda r: (r.i16(), r.string(), r.array(topic)))
    return {path: (error, {topic for topic, _ in topics}) for error, path, topics in found}


def folders_of(broker, topic):
    """{partition: the number in log.dirs of the folder that holds it}"""
    found = {}
    for number, folder in enumerate(broker.log_dirs):
        for path in folder.glob(f"{topic}-[0-9]*"):
            found[int(path.name.rpartition("-")[2])] = number
    return found


def topic_over_both(broker, topic="t"):
    """A topic with partitions in both folders; returns (a partition in the first, one in the second)."""
    with Connection(broker) as connection:
        connection.create_topic(topic, 8)
    places = folders_of(broker, topic)
    assert set(places.values()) == {0, 1} and len(places) == 8, places
    return tuple(min(p for p, folder in places.items() if folder == number) for number in (0, 1))


class Attempts:
    """Records to one partition, one after the other, at acks=all, until one is refused."""

    def __init__(self, broker, topic, partition, value_bytes=100):
        self.broker, self.topic, self.partition, self.value_bytes = broker, topic, partition, value_bytes
        self.acknowledged = {}

    def send(self, count=None):
        """Returns the error that ended it: 0 after `count` records, None where the connection ended."""
        deadline = time.monotonic() + SEND_SECONDS_MAX
        try:
            with Connection(self.broker) as connection:
                number = 0
                while count is None or number < count:
                    assert time.monotonic() < deadline, "no record is refused"
                    value = b"%d " % len(self.acknowledged) + bytes(self.value_bytes)
                    error, offset, _ = connection.produce(self.topic, batch([value]), self.partition)
                    if error:
                        return error
                    self.acknowledged[offset] = value
                    number += 1
                return 0
        except (Closed, ConnectionError):
            return None

    def check(self):
        """What was acknowledged is there, but for what retention has taken off the beginning."""
        found = {}
        with Connection(self.broker) as connection:
            start, end = (connection.list_offset(self.topic, which, self.partition)[2] for which in (-2, -1))
            offset = start
            while offset < end:
                values = connection.fetch_one(self.topic, offset, self.partition).values(offset)
                found.update(values)
                offset = values[-1][0] + 1
        kept = {offset: value for offset, value in self.acknowledged.items() if offset >= start}
        missing = [offset for offset, value in kept.items() if found.get(offset) != value]
        assert kept and not missing, f"{len(missing)} of {len(kept)} acknowledged records are lost, as {missing[:3]}"
