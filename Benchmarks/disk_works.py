"""What the disk has to do with it: group commit, retention, compaction, catching up, many partitions, recovery."""
import os
import subprocess
import time

from servers import Failure, status_bytes, warm_memory

TOPIC_CONFIGS = ("--config", "file.delete.delay.ms=100")
BATCH_16K = ("--record-bytes", 1024, "--records-per-batch", 15)
NAMES = ["commit", "retention", "cleaning", "catchup", "partitions"]
LARGE_NAMES = ["recovery"]  # 20 GB on the disk: only when it is asked for


def run(bench, results, name):
  {"commit": commit, "retention": retention, "cleaning": cleaning, "catchup": catch_up, "partitions": partitions,
   "recovery": recovery}[name](bench, results)


def commit(bench, results):
  """64 producers with one request in flight each, acks=all beside acks=1; then one producer beside a bare sync."""
  data = bench.fresh_data()
  server = bench.start_broker(data)
  seconds = 2 if bench.arguments.quick else 5
  rates = {"1": [], "all": []}
  for number in range(bench.arguments.runs):
    for acks in rates:
      topic = ("--topic", f"commit-{acks}-{number}")
      taken = bench.load(server, "produce", "--create", *topic, "--partitions", 6, *TOPIC_CONFIGS, *BATCH_16K,
                         "--connections", 64, "--depth", 1, "--acks", acks, "--seconds", seconds)
      rates[acks].append(taken["mb_per_s"])
      print(f"    64 producers, acks={acks}: {taken['mb_per_s']:.0f} MB/s, p99 {taken['latency_us']['p99'] / 1000:.1f} ms")
      bench.load(server, "delete", *topic)
      bench.await_disk_below(data, 256 << 20)
  results.figure("commit", "64 producers, 16 KiB batches: throughput at acks=1 to that at acks=all (bests)", "ratio",
                 max(rates["1"]) / max(rates["all"]), 2)
  for number in range(bench.arguments.runs):
    topic = ("--topic", f"single-{number}")
    bare = bench.sync(data, 16384, 2000)
    taken = bench.load(server, "produce", "--create", *topic, "--partitions", 1, *TOPIC_CONFIGS, *BATCH_16K,
                       "--connections", 1, "--depth", 1, "--acks", "all", "--requests", 2000, "--warmup", 100)
    again = bench.sync(data, 16384, 2000)
    p99 = (bare["p99"] + again["p99"]) / 2
    print(f"    one producer p50 {taken['latency_us']['p50']:.0f} p99 {taken['latency_us']['p99']:.0f} us; write + fdatasync"
          f" p50 {bare['p50']:.0f} p99 {bare['p99']:.0f} and {again['p99']:.0f} us", flush=True)
    results.figure("commit p99", "one producer at acks=all, 16 KiB: p99 to that of write + fdatasync", "ratio",
                   taken["latency_us"]["p99"] / p99, 3)
  bench.discard(server, data)


def _ack_p99(bench, server, topic, acks, seconds):
  """p99 of the answers to single records at 1,000 a second, in microseconds."""
  # Its records are of 1970.
  taken = bench.load(server, "latency", "--create", "--topic", topic, "--config", "retention.ms=-1", "--partitions", 1,
                     "--rate", 1000, "--acks", acks, "--requests", 1000 * seconds, "--warmup", 200)
  return taken["ack_latency_us"]["p99"]


def _beside(bench, results, key, what, goal, prepare, settings, disturb=None):
  """The p99 of produce, quiet and while something goes on: their ratio. `prepare` answers a function that waits until it
  goes on, and one that says whether it has."""
  seconds = 4 if bench.arguments.quick else 8
  for acks in ("1", "all"):
    for number in range(bench.arguments.runs):
      data = bench.fresh_data()
      server = bench.start_broker(data, *settings)
      warm_memory()
      begin, check = prepare(server, data)
      quiet = _ack_p99(bench, server, f"quiet-{acks}", acks, seconds)
      begun = begin()
      busy = _ack_p99(bench, server, f"busy-{acks}", acks, seconds)
      check(begun)
      print(f"    {what}, acks={acks}: p99 {quiet:.0f} us quiet, {busy:.0f} us beside it", flush=True)
      results.figure(f"{key} {acks}", f"{what}: produce p99 at acks={acks}, to the quiet one", "ratio", busy / quiet, goal)
      bench.discard(server, data)


def _fill(bench, server, topic, mebibytes, *configs):
  options = [part for config in configs for part in ("--config", config)]
  bench.load(server, "produce", "--create", "--topic", topic, "--partitions", 6, *options, *BATCH_16K, "--connections", 16,
             "--requests", mebibytes * 64, "--warmup", 0)


def _log(data):
  return (data.parent / "broker.log").read_text(errors="replace")


def retention(bench, results):
  """2 GB in segments of 16 MiB become old, all within a few seconds, and are deleted."""
  def prepare(server, data):
    retention_ms = 15000
    _fill(bench, server, "old", 2048, "segment.bytes=16777216", f"retention.ms={retention_ms}", "file.delete.delay.ms=0")
    filled = time.monotonic()

    def count():
      return sum(1 for _ in data.glob("old-*/*.log"))
    before = count()

    def begin():
      # The first of it is as old as the filling took.
      while count() == before and time.monotonic() < filled + 30:
        time.sleep(0.05)
      return count()

    def check(begun):
      if count() > before / 4:
        raise Failure(f"{count()} of {before} segments are still there")
    return begin, check
  _beside(bench, results, "retention", "while retention deletes 2 GB", 2, prepare,
          ("log.retention.check.interval.ms=500",))


def cleaning(bench, results):
  """2 GB of a compacted topic are cleaned."""
  def prepare(server, data):
    _fill(bench, server, "quiet-filler", 1)
    bench.load(server, "create", "--topic", "compacted", "--partitions", 6, "--config", "cleanup.policy=compact",
               "--config", "segment.bytes=67108864", "--config", "min.compaction.lag.ms=14000")
    bench.load(server, "produce", "--topic", "compacted", "--partitions", 6, "--keyed", *BATCH_16K, "--connections", 16,
               "--requests", 2048 * 64, "--warmup", 0)
    return (lambda: _await_cleaning(data)), (lambda begun: None)

  def _await_cleaning(data):
    until = time.monotonic() + 40
    while time.monotonic() < until:
      if any(data.glob("compacted-*/*.cleaned")) or any(data.glob("compacted-*/*.deleted")):
        return
      time.sleep(0.02)
    raise Failure("nothing was cleaned")
  _beside(bench, results, "cleaning", "while the cleaner runs over 2 GB", 2, prepare, ("log.cleaner.backoff.ms=200",))


def catch_up(bench, results):
  """A consumer reads 3 GB that are not in memory any more."""
  def prepare(server, data):
    _fill(bench, server, "old", 3072, "segment.bytes=268435456")
    subprocess.run(["sync"], check=True)
    dropped = subprocess.run(["sh", "-c", "echo 1 > /proc/sys/vm/drop_caches"], capture_output=True)
    if dropped.returncode != 0:
      raise Failure("the page cache cannot be dropped here: root is needed")

    def begin():
      return bench.begin_load(server, "consume", "--topic", "old", "--partitions", 6, "--connections", 6, "--warmup", 0,
                              "--records", 3072 * 64 * 15)

    def check(begun):
      taken = bench.end_load(server, begun)
      print(f"    the consumer read {taken['mb_per_s']:.0f} MB/s", flush=True)
    return begin, check
  _beside(bench, results, "catchup", "while a consumer reads 3 GB of cold data", 3, prepare, ())


def partitions(bench, results):
  """10,000 partitions: start after a clean stop, memory, descriptors."""
  data = bench.fresh_data()
  server = bench.start_broker(data)
  for number in range(10):
    bench.load(server, "create", "--topic", f"many-{number}", "--partitions", 1000)
  for number in range(10):
    bench.load(server, "produce", "--topic", f"many-{number}", "--partitions", 1000, "--connections", 8, "--record-bytes", 100,
               "--records-per-batch", 1, "--requests", 3000, "--warmup", 0)
  for _ in range(max(3, bench.arguments.runs)):
    results.figure("stop 10k", "SIGTERM to exit, 10,000 partitions", "ms", server.stop() * 1000, None)
    server = bench.start_broker(data)
    results.figure("start 10k", "start to ready after a clean stop, 10,000 partitions", "ms", server.ready_seconds * 1000,
                   3000)
    time.sleep(1)
    results.figure("rss 10k", "RSS with 10,000 partitions", "MB", status_bytes(server.pid, "VmRSS") / 1e6, 300)
  bench.load(server, "produce", "--topic", "many-0", "--partitions", 1000, "--connections", 8, "--record-bytes", 100,
             "--records-per-batch", 1, "--requests", 20000, "--warmup", 0)
  results.figure("rss 10k used", "the same after records to 1,000 of them", "MB", status_bytes(server.pid, "VmRSS") / 1e6, 300)
  results.figure("files 10k", "open descriptors then (ottla.open.files.max)", "files",
                 len(os.listdir(f"/proc/{server.pid}/fd")), None)
  server.kill()
  server = bench.start_broker(data)
  results.figure("killed 10k", "start to ready after SIGKILL, 10,000 partitions", "ms", server.ready_seconds * 1000, None)
  bench.discard(server, data)


def recovery(bench, results):
  """1,000 partitions with 20 GB, SIGKILL under load, start."""
  data = bench.fresh_data()
  server = bench.start_broker(data, "log.retention.bytes=-1")
  bench.load(server, "create", "--topic", "large", "--partitions", 1000)
  # What the driver allows in its folder is less than this: the disk has been looked at by the start of the run.
  for _ in range(20):
    done = subprocess.run([bench.programs / "load", "produce", "--address", server.address, "--topic", "large", "--partitions",
                           "1000", *map(str, BATCH_16K), "--connections", "32", "--requests", "65536", "--warmup", "0",
                           "--time-limit", "120"], capture_output=True, text=True)
    if done.returncode != 0:
      raise Failure(done.stderr[-500:])
  for _ in range(bench.arguments.runs):
    begun = bench.begin_load(server, "produce", "--topic", "large", "--partitions", 1000, *BATCH_16K, "--connections", 32,
                             "--acks", "all", "--seconds", 60)
    time.sleep(5)
    server.kill()
    begun.kill()
    begun.communicate()
    server = bench.start_broker(data)
    results.figure("recovery", "start to ready after SIGKILL under load, 1,000 partitions, 20 GB", "ms",
                   server.ready_seconds * 1000, 10000)
  bench.discard(server, data)
