"""What the tests with faults share. They run on the real program, real disks and real clients, with a seed that is printed."""

import os
import pathlib
import random
import signal
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "ConformanceTests"))

import broker as conformance_broker  # noqa: E402
from machine import work_folder  # noqa: E402


class ChaosBroker(conformance_broker.Broker):
    """A broker whose data folders the test chooses, and which may end by itself."""

    def __init__(self, folder, log_dirs, settings=None):
        super().__init__(folder, settings)
        self.log_dirs = [pathlib.Path(path) for path in log_dirs]
        self.data = self.log_dirs[0]

    def command(self):
        command = [conformance_broker.PROGRAM, "serve", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--set", f"log.dirs={','.join(map(str, self.log_dirs))}"]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        return command

    def has_ended(self):
        return self.process is None or self.process.poll() is not None

    def wait_for_end(self, seconds=20):
        """Waits until it ends by itself; returns its exit code."""
        process = self.process
        status = process.wait(seconds)
        self.process = None
        process.stdout.close()
        return status

    def stand_still(self, seconds=5):
        """Stops it where it is: none of its threads gets beyond the system call that it is in. As at a power cut, it says
        nothing more to anybody; what a call comes to afterwards, it never learns."""
        self.process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + seconds
        while not all(state in "TtDZ" for state in self._thread_states()):
            assert time.monotonic() < deadline, "the broker does not stop"
            time.sleep(0.001)

    def _thread_states(self):
        states = []
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            try:
                states.append((task / "stat").read_text().rpartition(")")[2].split()[0])
            except FileNotFoundError:
                continue
        return states

    def put_away(self):
        """Ends it, however it is doing."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def log_text(self):
        return self.log.read_text(errors="replace")

    def wait_for_line(self, text, seconds=15):
        deadline = time.monotonic() + seconds
        while text not in self.log_text():
            assert time.monotonic() < deadline, f"no {text!r} in the broker's log:\n{self.log_text()[-3000:]}"
            time.sleep(0.02)


def pytest_addoption(parser):
    parser.addoption("--short", action="store_true", help="a few rounds each, and only the tests marked short")
    parser.addoption("--rounds", type=int, default=None, help="rounds of the tests that kill the broker")
    parser.addoption("--seed", type=int, default=None)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--short"):
        left_out = [item for item in items if item.get_closest_marker("short") is None]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def rounds(request):
    """How many rounds: `rounds(short, long)`."""

    def choose(short, long):
        if request.config.getoption("--short"):
            return short
        return request.config.getoption("--rounds") or long

    return choose


@pytest.fixture
def chance(request):
    """Randomness; the seed is printed with a failure."""
    seed = request.config.getoption("--seed")
    if seed is None:
        seed = int.from_bytes(os.urandom(4), "big")
    print(f"--seed {seed}")
    return random.Random(seed)


@pytest.fixture
def folder(request):
    with work_folder(request.node.name.partition("[")[0]) as folder:
        yield folder


@pytest.fixture
def broker_on(folder):
    """Makes brokers on data folders; they are put away after the test."""
    made = []

    def make(*log_dirs, **settings):
        own = folder / f"broker-{len(made)}"
        own.mkdir()
        broker = ChaosBroker(
            own, log_dirs or [own / "data"], {name.replace("_", "."): str(value) for name, value in settings.items()}
        )
        made.append(broker)
        return broker

    yield make
    for broker in made:
        broker.put_away()


@pytest.fixture
def at_work():
    """Keeps processes that are to be gone after the test: `at_work(process)` gives it back."""
    processes = []

    def keep(process):
        processes.append(process)
        process.wait_until_started()
        return process

    yield keep
    for process in processes:
        if process.process.poll() is None:
            process.kill()
