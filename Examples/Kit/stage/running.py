"""A program in a process of its own, whose output goes into a file and is told line by line."""

import ctypes
import pathlib
import signal
import socket
import subprocess
import time

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on at present, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def eventually(condition, what, seconds=20, pause=0.1):
    """Asks until the answer is true, and returns it; fails with the last answer or error after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            last = condition()
            if last:
                return last
        except Exception as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last: {last!r})")
        time.sleep(pause)


class Running:
    """Can become: running (`start`), ended (`stop`, `kill`), and running again with the same command.

    It dies with the process that started it, however that one ends.
    """

    def __init__(self, name, folder, command, environment=None, stop_signal=signal.SIGTERM):
        self.name, self.command, self.environment, self.stop_signal = name, command, environment, stop_signal
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.log.touch()
        self.process = None
        self.values = {}
        self._begin = 0

    def __str__(self):
        return self.name

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def start(self, awaited=True):
        """Starts it, and waits until it says or shows that it is ready."""
        assert not self.is_running, f"{self} runs already"
        self._begin = self.log.stat().st_size
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, preexec_fn=_die_with_parent)
        if awaited:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds=READY_SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if not self.is_running:
                raise AssertionError(f"{self} ended with {self.process.returncode} before it was ready\n{self.text()[-4000:]}")
            if time.monotonic() >= deadline:
                raise AssertionError(f"{self} was not ready in {seconds} s\n{self.text()[-4000:]}")
            time.sleep(0.02)

    def _is_ready(self):
        """A program of ours says so in a line: ready name=value ..."""
        for line in self.text_of_this_run().splitlines():
            if line.startswith("ready"):
                self.values = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
                return True
        return False

    def kill(self):
        """SIGKILL: no last words."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        return self

    def stop(self, seconds=STOP_SECONDS_MAX):
        """Asks it to end in order, and fails where it does not, or not in time."""
        if not self.is_running:
            return self
        self.process.send_signal(self.stop_signal)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self} did not stop in {seconds} s\n{self.text()[-4000:]}") from None
        assert self.is_good_end(status), f"{self} ended with {status}\n{self.text()[-4000:]}"
        return self

    def is_good_end(self, status):
        return status == 0

    def restart(self):
        self.stop()
        return self.start()

    def put_away(self):
        """Ends it at the end of the demo: in order where it can, and at once where that takes long."""
        try:
            self.stop(10)
        except AssertionError:
            self.kill()

    def text(self):
        """All it has said, over all its runs."""
        return self.log.read_text(errors="replace")

    def text_of_this_run(self):
        with open(self.log, "rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def lines(self):
        return self.text().splitlines()

    def wait_for(self, text, seconds=20):
        """Waits until it has said `text`, and returns the line."""
        return eventually(
            lambda: next((line for line in self.lines() if text in line), None), f"{self} says {text!r}", seconds)
