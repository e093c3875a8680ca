"""A program in a process of its own, which can be stopped, killed, held still and let go; its output goes into files."""

import ctypes
import pathlib
import signal
import socket
import subprocess
import time

STOP_SECONDS_MAX = 30
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Place:
    """Where a program runs: an address of its own, and the words in front of its command line that take it there."""

    def __init__(self, host="127.0.0.1", prefix=()):
        self.host, self.prefix = host, list(prefix)


def free_ports(count, host="127.0.0.1"):
    """Ports that nobody listens on at present, all different."""
    sockets = [socket.create_server((host, 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Process:
    """Can become: running (`launch`), held still (`pause`) and running again (`resume`), ended (`stop`, `kill`, by itself).

    It dies with the thread that launched it, so only a program's main thread may do that.
    """

    def __init__(self, name, folder, place=None):
        self.name, self.place = name, place or Place()
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.output = self.folder / "output"
        self.process = None
        self.is_paused = False

    def __str__(self):
        return self.name

    @property
    def host(self):
        return self.place.host

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        process = self.process
        return process is not None and process.poll() is None

    @property
    def has_ended_by_itself(self):
        process = self.process
        return process is not None and process.poll() is not None

    def launch(self, command, environment=None):
        assert self.process is None, f"{self} runs already"
        # Each run's output begins anew, its log goes on.
        with open(self.log, "ab") as log, open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [*self.place.prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output, stderr=log,
                env=environment, preexec_fn=_die_with_parent,
            )
        self.is_paused = False

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self):
        if self.is_paused and self.process is not None:
            self.process.send_signal(signal.SIGCONT)
        self.is_paused = False

    def kill(self):
        """SIGKILL: no last words."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.forget()

    def ask_to_stop(self):
        self.resume()
        self.process.terminate()

    def stop(self, seconds=STOP_SECONDS_MAX):
        """SIGTERM; returns how it ended, and fails where it does not in time."""
        self.ask_to_stop()
        return self.wait_for_end(seconds)

    def wait_for_end(self, seconds=STOP_SECONDS_MAX):
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self} did not stop in {seconds} s\n{self.log_end()}") from None
        self.forget()
        return status

    def forget(self):
        """The process is over; nobody asks for it any more."""
        self.process = None
        self.is_paused = False

    def put_away(self):
        """Ends it, however it is doing."""
        self.kill()

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_end(self, characters=4000):
        return self.log_text()[-characters:]


def wait_until(condition, seconds, what):
    """Asks again and again; returns the first answer that is true. Errors of the network count as no."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, EOFError, AssertionError) as error:
            last = error
        assert time.monotonic() < deadline, f"not within {seconds} s: {what() if callable(what) else what} ({last!r})"
        time.sleep(0.1)
