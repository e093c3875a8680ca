"""SIGKILL again and again while producers and consumers work: nothing that was acknowledged is lost."""

import time

import pytest

from checking import check_commits, check_nothing_lost, check_one_value_an_offset, check_order, stored_records
from load import COMPRESSED, IDEMPOTENT, LEADER_ONLY, PLAIN, Consuming, Producing
from wire import Connection

PARTITIONS = 3


@pytest.mark.short
def test_kills_under_load_lose_nothing(broker_on, folder, at_work, rounds, chance, capsys):
    # Small segments, so that kills also hit the moments at which one follows another.
    broker = broker_on(log_segment_bytes=300_000, ottla_flush_ms_max=500, log_flush_offset_checkpoint_interval_ms=500).start()
    with Connection(broker) as connection:
        connection.create_topic("t", PARTITIONS)
    kinds = {"idempotent": IDEMPOTENT, "compressed": COMPRESSED, "plain": PLAIN, "leader": LEADER_ONLY}
    producers = [at_work(Producing(broker, folder, name, "t", PARTITIONS, kind)) for name, kind in kinds.items()]
    consumers = [at_work(Consuming(broker, folder, f"member-{n}", "readers", "t")) for n in range(2)]
    starts = []
    count = rounds(short=3, long=100)
    for _ in range(count):
        time.sleep(chance.uniform(0.15, 1.2))
        with consumers[0].standing_still(), consumers[1].standing_still():
            broker.kill()
            before = time.monotonic()
            broker.start()
            starts.append(time.monotonic() - before)
            check_commits(broker, consumers)
    for producer in producers:
        producer.ask_to_end()
    for producer in producers:
        producer.end()
        assert (producer.failed, producer.left) == (0, 0), f"{producer}: {producer.error}"
    time.sleep(0.5)
    broker.kill()
    broker.start()
    stored = stored_records(broker, "t", PARTITIONS)
    check_nothing_lost(stored, producers)
    check_order(stored, producers)
    for consumer in consumers:
        consumer.end()
    check_one_value_an_offset(stored, consumers)
    commits = check_commits(broker, consumers)
    assert len(commits) == PARTITIONS
    broker.stop()
    with capsys.disabled():
        records = sum(len(producer.acknowledged) for producer in producers)
        print(
            f"\n  {count} kills: {records} acknowledged records are there,"
            f" {sum(len(c.committed) for c in consumers)} commits; slowest start {max(starts):.2f} s"
        )
