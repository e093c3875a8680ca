"""The processes of a benchmark run: building them, starting and ending servers, driving load against them."""
import json
import mmap
import os
import pathlib
import select
import shutil
import subprocess
import threading
import time

DISK_FREE_BYTES_MIN = 12 << 30
DISK_USED_BYTES_MAX = 12 << 30
WARM_BYTES = 2 << 30
READY_SECONDS_MAX = 20
STOP_SECONDS_MAX = 20
LOAD_SECONDS_MAX = 90


class Failure(Exception):
  """A run that cannot be measured; its text says why."""


def build(here):
  made = subprocess.run(["make", "-s", "-f", str(here / "Makefile")], capture_output=True, text=True)
  if made.returncode != 0:
    raise SystemExit(f"error: the benchmark programs do not build\n{made.stdout}{made.stderr}")


def warm_memory():
  """Touches free memory. In a virtual machine a page that the host has not backed yet costs whoever writes it first
  several times what writing it does; servers that fill the page cache would pay for that by chance."""
  meminfo = pathlib.Path("/proc/meminfo").read_text()
  available = int(meminfo.split("MemAvailable:")[1].split()[0]) << 10
  size = min(WARM_BYTES, available // 3)
  flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_POPULATE", 0x8000)
  mmap.mmap(-1, size, flags=flags).close()


def process_cpu_seconds(pid):
  """utime + stime of all threads of the process, to the nanosecond (the kernel's CPU clock of that process)."""
  return time.clock_gettime((~pid << 3) | 2)


def status_bytes(pid, name):
  """A size such as VmRSS from /proc/PID/status."""
  for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
    if line.startswith(name + ":"):
      return int(line.split()[1]) << 10
  raise Failure(f"no {name} of process {pid}")


def disk_bytes(directory):
  """What the files below the directory occupy."""
  total = 0
  for parent, _, names in os.walk(directory):
    for name in names:
      try:
        total += os.stat(os.path.join(parent, name)).st_blocks * 512
      except FileNotFoundError:
        pass
  return total


class Server:
  """A started floor or broker: `address` is where it listens, `ready_seconds` how long it took to say so."""

  def __init__(self, name, command, log):
    self.name = name
    self.log = log
    started = time.perf_counter()
    with open(log, "ab") as errors:
      self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
    self.pid = self.process.pid
    self.address = None
    try:
      self.address = self._await_ready(started)
    finally:
      if self.address is None:
        self.kill()
    self.ready_seconds = time.perf_counter() - started
    threading.Thread(target=self._drain, daemon=True).start()

  def _await_ready(self, started):
    text = b""
    while time.perf_counter() - started < READY_SECONDS_MAX:
      if not select.select([self.process.stdout], [], [], 0.5)[0]:
        continue
      piece = os.read(self.process.stdout.fileno(), 65536)
      if not piece:
        break
      text += piece
      for line in text.split(b"\n")[:-1]:
        for word in line.split():
          if line.startswith(b"ready") and word.startswith(b"kafka="):
            return word[len(b"kafka="):].decode()
    tail = pathlib.Path(self.log).read_text(errors="replace")[-2000:]
    raise Failure(f"{self.name} did not get ready\n{text.decode(errors='replace')[-2000:]}{tail}")

  def _drain(self):
    while os.read(self.process.stdout.fileno(), 65536):
      pass

  def check_alive(self):
    if self.process.poll() is not None:
      tail = pathlib.Path(self.log).read_text(errors="replace")[-2000:]
      raise Failure(f"{self.name} ended with status {self.process.returncode}\n{tail}")

  def stop(self):
    """SIGTERM and wait; answers the seconds it took."""
    started = time.perf_counter()
    self.process.terminate()
    try:
      self.process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
      self.kill()
      raise Failure(f"{self.name} did not stop within {STOP_SECONDS_MAX} s of SIGTERM") from None
    return time.perf_counter() - started

  def kill(self):
    if self.process.poll() is None:
      self.process.kill()
    self.process.wait()


class Bench:
  """The programs, the temporary directory and the servers of one benchmark run."""

  def __init__(self, arguments, programs, directory):
    self.arguments = arguments
    self.programs = programs
    self.directory = directory
    self.servers = []
    wanted = not arguments.floor_only and arguments.broker.exists()
    self.broker_program = arguments.broker.resolve() if wanted else None
    self.fresh = 0
    if shutil.disk_usage(directory).free < DISK_FREE_BYTES_MIN:
      raise SystemExit(f"error: less than {DISK_FREE_BYTES_MIN >> 30} GB free for the temporary directory")

  def start_floor(self, name, mode, *options):
    command = [self.programs / "floor", mode, "--directory", self.directory, *options]
    return self._keep(Server(name, command, self.directory / "floor.log"))

  def fresh_data(self):
    """A new, empty data directory for a broker."""
    self.fresh += 1
    data = self.directory / f"data-{self.fresh}"
    data.mkdir()
    return data

  def start_broker(self, data, *settings):
    command = [self.broker_program, "serve", "--data-dir", data, "--listen", "127.0.0.1:0"]
    for setting in [*settings, *self.arguments.set]:
      command += ["--set", setting]
    return self._keep(Server("the broker", command, self.directory / "broker.log"))

  def discard(self, server, data):
    """Kills a broker and removes its data."""
    server.kill()
    shutil.rmtree(data, ignore_errors=True)

  def _keep(self, server):
    self.servers.append(server)
    return server

  def load(self, server, mode, *options):
    """Runs load against the server; answers its figures (none for create and delete)."""
    return self._client(server, [self.programs / "load", mode, "--json", *map(str, options)])

  def begin_load(self, server, mode, *options):
    """Begins what `load` runs; `end_load` answers its figures."""
    command = [self.programs / "load", mode, "--json", *map(str, options), "--address", server.address,
               "--time-limit", str(LOAD_SECONDS_MAX)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

  def end_load(self, server, begun):
    out, errors = begun.communicate()
    if begun.returncode != 0:
      server.check_alive()
      raise Failure(f"load beside another against {server.name}: {errors.strip()[-1000:]}")
    return json.loads(out)

  def sync(self, directory, byte_count, count):
    """Bare write + fdatasync in the directory: microseconds, by quantile."""
    done = subprocess.run([self.programs / "sync", directory, str(byte_count), str(count)], capture_output=True, text=True)
    if done.returncode != 0:
      raise Failure(f"sync: {done.stderr.strip()[-1000:]}")
    return json.loads(done.stdout)["sync_us"]

  def rdkafka(self, server, mode, *options):
    return self._client(server, [self.programs / "rdkafka_bench", mode, *map(str, options)])

  def _client(self, server, command):
    if disk_bytes(self.directory) > DISK_USED_BYTES_MAX:
      raise Failure(f"more than {DISK_USED_BYTES_MAX >> 30} GB in the temporary directory")
    limit = ["--address", server.address, "--pid", str(server.pid), "--time-limit", str(LOAD_SECONDS_MAX)]
    done = subprocess.run([*command, *limit], capture_output=True, text=True)
    if done.returncode != 0:
      server.check_alive()
      raise Failure(f"{' '.join(map(str, command[1:]))} against {server.name}: {done.stderr.strip()[-1000:]}")
    return json.loads(done.stdout) if done.stdout.strip() else None

  def await_disk_below(self, directory, limit):
    """Waits until deleted topics are off the disk, at most 15 s, so that their removal is in nobody's figures."""
    until = time.monotonic() + 15
    while disk_bytes(directory) > limit and time.monotonic() < until:
      time.sleep(0.1)

  def end_all(self):
    for server in self.servers:
      server.kill()
