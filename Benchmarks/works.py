"""What is measured: each work against the floors and the broker, in turn, so that all see the same noise."""
import time

import disk_works
from servers import Failure, process_cpu_seconds, status_bytes, warm_memory

SMALL = ("--connections", 64, "--depth", 1, "--record-bytes", 100, "--records-per-batch", 1)
BATCHES = ("--connections", 16, "--depth", 1, "--record-bytes", 100, "--batch-bytes", 16384)
KIBIBYTES = ("--connections", 16, "--depth", 1, "--record-bytes", 1024, "--records-per-batch", 15)

# name: what it is, options of load, requests (full, quick), goal of the ratio to the floor, the figure, its unit
PRODUCE_WORKS = {
  "single": ("one 100-byte record a request, 64 connections", SMALL, (200000, 60000), 1.4,
             "target_us_per_request", "µs a request"),
  "batches": ("16 KiB batches of 100-byte records, 16 connections", BATCHES, (40000, 15000), 1.25,
              "target_us_per_request", "µs a request"),
  "kibibytes": ("15 records of 1 KiB a batch, 16 connections", KIBIBYTES, (40000, 15000), 1.25,
                "target_us_per_request", "µs a request"),
  "lz4": ("the 16 KiB batches, lz4, 16 connections", (*BATCHES, "--lz4"), (40000, 15000), None,
          "target_us_per_request", "µs a request"),
}
NAMES = [*PRODUCE_WORKS, "consume", "latency", "rdkafka", "start", "memory", "idle", *disk_works.NAMES]
ALL_NAMES = [*NAMES, *disk_works.LARGE_NAMES]

PARTITIONS = 6
TOPIC_CONFIGS = ("--config", "file.delete.delay.ms=100")
EMPTY_BYTES = 256 << 20  # what an emptied broker may still occupy, when deletion is awaited
BATCH_BYTES = 16276      # of one request of BATCHES, to count traffic by


class Target:
  """A server of a work: the column it is reported in and, for the broker, its data directory."""

  def __init__(self, column, server, data=None):
    self.column = column
    self.server = server
    self.data = data


def measure(bench, results):
  steps = {"consume": consume, "latency": latency, "rdkafka": rdkafka, "start": start, "memory": memory, "idle": idle}
  for name in bench.arguments.chosen:
    print(f"... {name}", flush=True)
    try:
      if name in [*disk_works.NAMES, *disk_works.LARGE_NAMES]:
        if bench.broker_program:
          disk_works.run(bench, results, name)
      elif name in PRODUCE_WORKS:
        produce(bench, results, name)
      else:
        steps[name](bench, results)
    except Failure as failure:
      results.failed(name, str(failure))
    finally:
      bench.end_all()


def targets(bench, floors):
  """The floors asked for, and the broker on an empty data directory."""
  options = {"floor 1": ("--threads", "1"), "floor 2": ("--threads", "2"),
             "floor 2 crossing": ("--threads", "2", "--cross"), "echo": ("--threads", "1")}
  found = [Target(f, bench.start_floor(f, "echo" if f == "echo" else "broker", *options[f])) for f in floors]
  if bench.broker_program:
    data = bench.fresh_data()
    found.append(Target("broker", bench.start_broker(data), data))
  return found


def finish(bench, used):
  for target in used:
    if target.data:
      bench.discard(target.server, target.data)
    else:
      target.server.kill()


def delete_topic(bench, target, topic):
  bench.load(target.server, "delete", "--topic", topic)
  if target.data:
    bench.await_disk_below(target.data, EMPTY_BYTES)


def produce(bench, results, name):
  title, options, requests, goal, figure, unit = PRODUCE_WORKS[name]
  used = targets(bench, (["echo"] if name == "single" else []) + ["floor 1", "floor 2", "floor 2 crossing"])
  for run in range(bench.arguments.runs):
    for target in used:
      topic = f"{name}-{run}"
      warm_memory()
      taken = bench.load(target.server, "produce", "--create", "--topic", topic, "--partitions", PARTITIONS,
                         *TOPIC_CONFIGS, *options, "--requests", requests[bench.arguments.quick])
      results.add(name, title, unit, target.column, taken[figure], taken, goal)
      delete_topic(bench, target, topic)
  finish(bench, used)


def consume(bench, results):
  used = targets(bench, ["floor 1"])
  fill, records = ((10000, 5000000), (30000, 30000000))[not bench.arguments.quick]
  for target in used:
    warm_memory()
    bench.load(target.server, "produce", "--create", "--topic", "consumed", "--partitions", PARTITIONS,
               *TOPIC_CONFIGS, *BATCHES, "--requests", fill)
  for _ in range(bench.arguments.runs):
    for target in used:
      taken = bench.load(target.server, "consume", "--topic", "consumed", "--partitions", PARTITIONS,
                         "--connections", 6, "--warmup", 50, "--records", records)
      results.add("consume", "consume 100-byte records from the page cache, 6 connections, 1 MiB fetches",
                  "CPU s a million records", target.column, taken["target_s_per_million_records"], taken, None, 0.02)
  finish(bench, used)


def latency(bench, results):
  used = targets(bench, ["floor 1"])
  seconds = 3 if bench.arguments.quick else 10
  for run in range(min(bench.arguments.runs, 3)):
    for target in used:
      topic = f"latency-{run}"
      taken = bench.load(target.server, "latency", "--create", "--topic", topic, "--partitions", 1, *TOPIC_CONFIGS,
                         "--rate", 1000, "--requests", 1000 * seconds, "--warmup", 500)
      for quantile, goal in (("p50", 0.2), ("p99", 1.5), ("p99.9", None)):
        results.add(f"latency {quantile}", f"end to end at 1,000 records/s, {quantile}", "ms", target.column,
                    taken["latency_us"][quantile] / 1000, taken, None, goal)
      delete_topic(bench, target, topic)
  finish(bench, used)


def rdkafka(bench, results):
  if not bench.broker_program:
    return
  used = targets(bench, [])
  records = 500000 if bench.arguments.quick else 2000000
  for run in range(bench.arguments.runs):
    for target in used:
      topic = f"rdkafka-{run}"
      warm_memory()
      bench.load(target.server, "create", "--topic", topic, "--partitions", PARTITIONS, *TOPIC_CONFIGS)
      for mode in ("produce", "consume"):
        taken = bench.rdkafka(target.server, mode, "--topic", topic, "--partitions", PARTITIONS, "--records", records)
        results.add(f"rdkafka {mode}", f"librdkafka with its defaults, {mode} 100-byte records",
                    "CPU s a million records", target.column, taken["target_s_per_million_records"], taken)
      delete_topic(bench, target, topic)
  finish(bench, used)


def start(bench, results):
  if not bench.broker_program:
    return
  for _ in range(max(bench.arguments.runs, 3)):
    data = bench.fresh_data()
    server = bench.start_broker(data)
    results.figure("start", "start to ready, empty", "ms", server.ready_seconds * 1000, 50)
    bench.discard(server, data)
  data = bench.fresh_data()
  server = bench.start_broker(data)
  for number in range(100):
    bench.load(server, "produce", "--create", "--topic", f"start-{number}", "--partitions", 1, "--connections", 1,
               "--record-bytes", 100, "--batch-bytes", 16384, "--requests", 60, "--warmup", 0)
  for _ in range(max(bench.arguments.runs, 3)):
    results.figure("stop", "SIGTERM to exit, 100 topics of 1 MB", "ms", server.stop() * 1000, None)
    server = bench.start_broker(data)
    results.figure("start 100", "start to ready, 100 topics of 1 MB", "ms", server.ready_seconds * 1000, 150)
  server.kill()
  server = bench.start_broker(data)
  results.figure("start killed", "start to ready, the same after SIGKILL", "ms", server.ready_seconds * 1000, None)
  bench.discard(server, data)


def memory(bench, results):
  """Rounds of 1 GB in and the same out, the topic deleted after each: the disk stays bounded."""
  if not bench.broker_program:
    return
  data = bench.fresh_data()
  server = bench.start_broker(data)
  time.sleep(1)
  results.figure("rss idle", "RSS, just started", "MB", status_bytes(server.pid, "VmRSS") / 1e6, 25)
  rounds = 1 if bench.arguments.quick else 10
  for number in range(rounds):
    topic = ("--topic", f"memory-{number}", "--partitions", PARTITIONS)
    requests = 10**9 // BATCH_BYTES
    bench.load(server, "produce", "--create", *topic, *TOPIC_CONFIGS, *BATCHES, "--requests", requests)
    bench.load(server, "consume", *topic, "--connections", 6, "--warmup", 0, "--records", requests * 148)
    delete_topic(bench, Target("broker", server, data), f"memory-{number}")
  said = f"after {rounds} GB in and {rounds} GB out"
  results.figure("rss after", f"RSS, {said}", "MB", status_bytes(server.pid, "VmRSS") / 1e6, 80)
  results.figure("rss anonymous", f"of that not backed by files, {said}", "MB",
                 status_bytes(server.pid, "RssAnon") / 1e6, None)
  results.figure("rss peak", f"highest RSS, {said}", "MB", status_bytes(server.pid, "VmHWM") / 1e6, None)
  bench.discard(server, data)


def idle(bench, results):
  if not bench.broker_program:
    return
  data = bench.fresh_data()
  server = bench.start_broker(data)
  bench.load(server, "produce", "--create", "--topic", "idle", "--partitions", PARTITIONS, *BATCHES, "--requests", 1000)
  time.sleep(2)
  seconds = 5 if bench.arguments.quick else 20
  before, began = process_cpu_seconds(server.pid), time.monotonic()
  time.sleep(seconds)
  used = process_cpu_seconds(server.pid) - before
  server.check_alive()
  results.figure("idle", f"CPU of an idle broker over {seconds} s", "%", 100 * used / (time.monotonic() - began), 0.1)
  bench.discard(server, data)
