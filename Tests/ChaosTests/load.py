"""Producers and consumers that work on a broker while things go wrong, each in a process of its own."""

import collections
import contextlib
import json
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
END_SECONDS_MAX = 90

Acknowledged = collections.namedtuple("Acknowledged", "partition offset number")
Seen = collections.namedtuple("Seen", "partition offset checksum")

# What a producer is like. The rates leave room on a small machine.
IDEMPOTENT = {"acks": "all", "enable.idempotence": True, "linger.ms": 2, "per.second": 1500}
COMPRESSED = {**IDEMPOTENT, "compression.type": "lz4"}
PLAIN = {"acks": "all", "max.in.flight": 1, "linger.ms": 2, "per.second": 1000}
LEADER_ONLY = {"acks": "1", "max.in.flight": 1, "linger.ms": 2, "compression.type": "zstd", "per.second": 1000}


class _Process:
    is_asked = False

    def __init__(self, program, arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / program), *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )

    def wait_until_started(self):
        assert self.process.stdout.readline() == "started\n"

    def ask_to_end(self):
        # Once: at the end of its life Python takes no more signals.
        if not self.is_asked and self.process.poll() is None:
            self.is_asked = True
            self.process.send_signal(signal.SIGTERM)

    @contextlib.contextmanager
    def standing_still(self):
        """Meanwhile it does nothing: what it has been told cannot be overtaken by what it does next."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def end(self):
        """Lets it end in order; returns what it says in the end."""
        self.ask_to_end()
        try:
            said, _ = self.process.communicate(timeout=END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self} did not end") from None
        assert self.process.returncode == 0, f"{self} ended with {self.process.returncode}"
        return said

    def kill(self):
        self.process.kill()
        self.process.wait()


class Producing(_Process):
    """A producer at work; afterwards `acknowledged` is what it was promised."""

    def __init__(self, broker, folder, name, topic, partitions, settings):
        self.name, self.topic, self.settings = name, topic, settings
        self.notes = pathlib.Path(folder) / f"acknowledged-{name}"
        self.is_idempotent = bool(settings.get("enable.idempotence"))
        self.failed = self.left = None
        self.error = ""
        all_settings = json.dumps({"bootstrap.servers": broker.address, **settings})
        super().__init__("producing.py", [name, topic, partitions, self.notes, all_settings])

    def end(self):
        _, self.failed, self.left, *error = super().end().split(maxsplit=3)
        self.failed, self.left, self.error = int(self.failed), int(self.left), " ".join(error)

    @property
    def acknowledged(self):
        return [Acknowledged(*map(int, line.split())) for line in _whole_lines(self.notes)]

    def __str__(self):
        return f"producer {self.name}"


class Consuming(_Process):
    """A member of a group at work: `seen` and `committed` are what it has noted until now."""

    def __init__(self, broker, folder, name, group, topic):
        self.name, self.group, self.topic = name, group, topic
        self.notes = pathlib.Path(folder) / f"consumed-{name}"
        super().__init__("consuming.py", [broker.address, group, topic, self.notes])

    @property
    def seen(self):
        return [Seen(*map(int, line.split()[1:])) for line in _whole_lines(self.notes) if line.startswith("seen")]

    @property
    def committed(self):
        """[(partition, offset)] in the order of the answers."""
        lines = [line.split() for line in _whole_lines(self.notes) if line.startswith("committed")]
        return [(int(partition), int(offset)) for _, partition, offset in lines]

    def __str__(self):
        return f"consumer {self.name}"


def _whole_lines(path):
    """The lines of a file that another process is writing."""
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()
