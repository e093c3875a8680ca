"""What clients did and saw, an event a line, as JSON.

Each worker writes a file of its own; times are seconds of the machine's monotonic clock, so that all files are one history. An event
has `time`, `process` (one client in one life), `f` (what was done), `type` and more:

  send      invoke/ok/fail/info  key, value, and offset where it is known. A value is sent once.
  poll      ok                   key, records: [[offset, value], ...], group (null outside of one)
  assign    ok                   group, keys: what the process reads from now on, wherever it was before
  revoke    ok                   group, keys: what it gives back while it is a member in good standing
  lost      ok                   group, keys: what it has lost already, without being asked
  crash     ok                   the process reads nothing any more
  commit    invoke/ok/fail/info  group, key, offset: of the next record to read
  committed invoke/ok            group, key, offset: what the group has, -1 for nothing
  end       invoke/ok            key, offset: the end of the partition as consumers see it
  final     ok                   keys: this process has read each from its first offset to its end, after everything had healed

A key is "topic-partition". What was invoked and has no other end is unknown, as `info` is.
"""

import heapq
import json
import time


class Recorder:
    """Writes one worker's events; each line is with the system when `note` returns."""

    def __init__(self, path, process):
        self.process = process
        self._file = open(path, "a", buffering=1)

    def note(self, f, type="ok", **more):
        event = {"time": round(time.monotonic(), 6), "process": self.process, "f": f, "type": type, **more}
        self._file.write(json.dumps(event, separators=(",", ":")) + "\n")

    def close(self):
        self._file.close()


def read(paths):
    """All events in the order of their times; a last line without its end, of a worker that was killed, is left out."""
    return list(heapq.merge(*(_events(path) for path in sorted(paths)), key=lambda event: event["time"]))


def _events(path):
    with open(path) as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)
