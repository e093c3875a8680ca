"""Faults that are made with the machine's own means: file systems that can lose power or fill up, and system calls that fail.

Everything that a test makes here belongs to it: mounts lie in a folder of the test's own, and are gone after it.
"""

import array
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

# EXT4_IOC_SHUTDOWN, and its flag that lets the journal go unwritten: what the machine has not written yet is lost.
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2

TRACER_SECONDS_MAX = 10


def _run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)


def _unmount(folder):
    deadline = time.monotonic() + 10
    while (done := _run("umount", folder)).returncode and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not done.returncode, done.stderr


class PowerCutDisk:
    """An ext4 file system in a file, which can lose its power.

    Can become: mounted, cut (everything fails, and what was not on the disk is lost), and mounted again.
    """

    def __init__(self, folder, megabytes=512):
        # In memory where that is possible: the disk below the tested one is no part of the test, and may be slow.
        memory = pathlib.Path("/dev/shm")
        self.image = (memory if os.access(memory, os.W_OK) else pathlib.Path(folder)) / f"{pathlib.Path(folder).name}.image"
        self.place = pathlib.Path(folder) / "disk"
        self.place.mkdir()
        self.is_mounted = False
        self.is_cut = False
        self.megabytes = megabytes

    def make(self):
        with open(self.image, "wb") as image:
            image.truncate(self.megabytes << 20)
        made = _run("mkfs.ext4", "-q", "-F", self.image)
        if made.returncode:
            pytest.skip(f"this machine makes no ext4 file system: {made.stderr.strip()}")
        self.mount(or_skip=True)

    def mount(self, or_skip=False):
        done = _run("mount", "-o", "loop", "-t", "ext4", self.image, self.place)
        if done.returncode and or_skip:
            pytest.skip(f"this machine mounts no loop devices here: {done.stderr.strip()}")
        assert not done.returncode, done.stderr
        self.is_mounted = True

    def cut_power(self):
        """From now on every access fails, and nothing more reaches the disk, not even the journal."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
        finally:
            os.close(descriptor)
        self.is_cut = True

    def power_on(self):
        """The file system as it is found after the cut: its journal is replayed. Nobody may have files open in it."""
        self.unmount()
        self.mount()
        self.is_cut = False

    def unmount(self):
        if self.is_mounted:
            _unmount(self.place)
            self.is_mounted = False

    def put_away(self):
        """For the end of a test, which may have failed with a broker at work: gone when that has ended."""
        if self.is_mounted:
            _run("umount", "--lazy", self.place)
        self.image.unlink(missing_ok=True)


@contextlib.contextmanager
def power_cut_disk(folder):
    disk = PowerCutDisk(folder)
    try:
        disk.make()
        yield disk
    finally:
        disk.put_away()


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system in memory with room for so much: ENOSPC is quickly reached."""
    place = pathlib.Path(folder) / "small-disk"
    place.mkdir()
    done = _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", place)
    if done.returncode:
        pytest.skip(f"this machine mounts no tmpfs here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        _run("umount", "--lazy", place)


def remount(place, how):
    """Makes a file system read-only ("ro") or writable again ("rw"); nobody may be writing to it."""
    done = _run("mount", "-o", f"remount,{how}", place)
    assert not done.returncode, done.stderr


@contextlib.contextmanager
def work_folder(stem):
    """A folder for a test, away from where pytest keeps the last runs of its own: these may be large."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ottla-chaos-{stem}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Tracer:
    """strace on a running process: its system calls fail, or take long, from now on until `stop`."""

    def __init__(self, folder, pid, inject, calls, path=None):
        if shutil.which("strace") is None:
            pytest.skip("strace is not installed")
        self.output = pathlib.Path(folder) / f"strace-{time.monotonic_ns()}"
        errors = self.output.with_suffix(".errors")
        # -y names the files behind descriptors; in the output each call ends with (INJECTED) or (DELAYED).
        command = ["strace", "-f", "-y", "-o", str(self.output), "-e", f"trace={calls}", "-p", str(pid)]
        if inject:
            command += ["-e", f"inject={calls}:{inject}"]
        if path is not None:
            command += ["-P", str(path)]
        with open(errors, "wb") as errors_file:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors_file)
        # All threads of the process have to be attached to.
        wanted = set(os.listdir(f"/proc/{pid}/task"))
        deadline = time.monotonic() + TRACER_SECONDS_MAX
        while not self._traces(pid, wanted):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.skip(f"this machine lets no process be traced: {errors.read_text().strip()[-300:]}")
            time.sleep(0.01)

    @staticmethod
    def _traces(pid, threads):
        for thread in threads:
            try:
                status = pathlib.Path(f"/proc/{pid}/task/{thread}/status").read_text()
            except FileNotFoundError:
                continue
            if "TracerPid:\t0\n" in status:
                return False
        return True

    def lines(self):
        """The calls until now, a line each."""
        return [line for line in self.output.read_text(errors="replace").splitlines() if "(" in line]

    def injected(self):
        return [line for line in self.lines() if "(INJECTED)" in line]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(TRACER_SECONDS_MAX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
