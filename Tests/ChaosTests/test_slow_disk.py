"""A disk that is slow to flush: who does not wait for it is not held up, and who does shares the flushes."""

import statistics
import threading
import time

import pytest

from machine import Tracer
from wire import Connection, batch

FLUSH_SECONDS = 0.2


def produce_for(broker, topic, seconds, acks, latencies, number=0):
    with Connection(broker) as connection:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = time.monotonic()
            assert connection.produce(topic, batch([b"%d" % number]), acks=acks)[0] == 0
            latencies.append(time.monotonic() - before)


@pytest.mark.short
def test_a_slow_disk_holds_up_only_who_waits_for_it(broker_on, folder, capsys):
    broker = broker_on().start()
    with Connection(broker) as connection:
        connection.create_topic("all", 1)
        connection.create_topic("one", 1)
        connection.produce("all", batch([b"first"]))
    waiting, leader_only = [], []
    with Tracer(folder, broker.pid, f"delay_exit={int(FLUSH_SECONDS * 1e6)}", "fdatasync") as tracer:
        threads = [threading.Thread(target=produce_for, args=(broker, "all", 3, -1, waiting, n)) for n in range(16)]
        threads.append(threading.Thread(target=produce_for, args=(broker, "one", 3, 1, leader_only)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        flushes = sum("/all-0/" in line and "fdatasync(" in line for line in tracer.lines())
    with capsys.disabled():
        print(
            f"\n  flushes of {FLUSH_SECONDS * 1000:.0f} ms: acks=1 median {statistics.median(leader_only) * 1000:.1f} ms, worst"
            f" {max(leader_only) * 1000:.0f} ms; acks=all {len(waiting)} answers, median {statistics.median(waiting) * 1000:.0f}"
            f" ms, {flushes} flushes"
        )
    assert statistics.median(leader_only) < FLUSH_SECONDS / 10
    assert len(leader_only) > 100
    # Nobody was answered before a flush, or waited for more than the one under way and the next.
    assert min(waiting) >= FLUSH_SECONDS * 0.99
    assert statistics.median(waiting) < FLUSH_SECONDS * 3
    assert len(waiting) > 4 * flushes, "sixteen that wait together share the flushes"
    broker.stop()
