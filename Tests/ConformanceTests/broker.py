"""One Ottla broker in a process of its own, on loopback, on a folder that the test owns."""

import os
import pathlib
import select
import signal
import subprocess
import time

from wire import Connection

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("OTTLA_PROGRAM", str(ROOT / ".build/release/ottla"))

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 20


class Broker:
    """Can become: running (`start`), stopped in order (`stop`), killed (`kill`), and running again on the same folder."""

    def __init__(self, folder, settings=None, port=0):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.settings = {
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "4",
            **(settings or {}),
        }
        self.port = port
        self.process = None
        self.log = self.folder / "broker.log"

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def command(self):
        command = [PROGRAM, "serve", "--data-dir", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        return command

    def start(self):
        assert self.process is None, "the broker runs already"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log)
        self.port = self._ready_port()
        return self

    def _ready_port(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        line = b""
        while not line.endswith(b"\n"):
            rest = deadline - time.monotonic()
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, rest))
            byte = os.read(self.process.stdout.fileno(), 1) if readable else b""
            if not byte:
                self.process.kill()
                self.process.wait()
                self.process = None
                raise AssertionError(f"the broker did not get ready: {line!r}\n{self.log.read_text()}")
            line += byte
        assert line.startswith(b"ready kafka="), line
        return int(line.decode().strip().rpartition(":")[2])

    def stop(self):
        """SIGTERM, and the broker must end in order."""
        self._end(signal.SIGTERM)
        return self

    def kill(self):
        """SIGKILL: no last words."""
        self._end(signal.SIGKILL)
        return self

    def _end(self, how):
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            status = process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the broker did not stop in {STOP_SECONDS_MAX} s\n{self.log.read_text()}")
        finally:
            process.stdout.close()
        expected = 0 if how == signal.SIGTERM else -how
        assert status == expected, f"the broker ended with {status}\n{self.log.read_text()[-4000:]}"

    def restart(self, kill=False):
        self.kill() if kill else self.stop()
        return self.start()

    def check_alive(self):
        assert self.process.poll() is None, (
            f"the broker ended with {self.process.returncode}\n{self.log.read_text()[-4000:]}"
        )

    # What tests of clients ask of a node and, with --cluster-with-faults, of a cluster (faults.py) alike.

    is_shaken, replicas, min_insync_replicas = False, 1, 1

    @property
    def ports(self):
        return [self.port]

    def begin_test(self):
        """Nothing will happen to this one."""

    def seconds(self, quiet):
        """How long to wait for what takes a quiet node so long at most."""
        return quiet

    def asked(self, question, topic=None, partition=0, group=None):
        """`question(connection)`, on a connection to the leader of a partition, the coordinator of a group, or any broker."""
        with Connection(self) as connection:
            return question(connection)

    def patiently(self, call):
        """`call()`, whose errors are no business of a fault."""
        return call()

    def expect(self, question, expected):
        found = question()
        assert found == expected
        return found

    def create_topic(self, topic, partitions=1, configs=None):
        with Connection(self) as connection:
            connection.create_topic(topic, partitions, configs)

    def resident_bytes(self):
        """The memory that the broker really occupies now."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, *arguments, input=None, timeout=60, check=True):
        """Runs another command of the program against this broker; returns its standard output as bytes."""
        done = subprocess.run(
            [PROGRAM, *arguments, "-b", self.address], input=input, capture_output=True, timeout=timeout
        )
        if check:
            assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr.decode()}"
        return done.stdout
