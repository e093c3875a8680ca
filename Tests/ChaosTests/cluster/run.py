"""Harm to a whole cluster for some time, then the question whether it kept its promises.

`make chaos-cluster` runs it in name spaces of its own. Exit codes: 0 passed, 1 something was found, 2 the run itself failed.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import world as worlds  # noqa: E402 (it also makes the modules of the other tests known)
import analysis  # noqa: E402
import final_reads  # noqa: E402
import history  # noqa: E402
import nemeses  # noqa: E402
import replicas  # noqa: E402
import report as reports  # noqa: E402
from campaign import Campaign  # noqa: E402

GROUP = "readers"
HEAL_SECONDS_MAX = 120
WORKER_SECONDS_MAX = 150
MEANINGS = {
    "ended-by-itself": "a broker ended without being asked to",
    "stop-hangs": "a broker did not end after SIGTERM",
    "stop-fails": "a broker did not end in order after SIGTERM",
    "not-whole-in-time": "replicas were not in sync again in time, with nothing wrong any more",
    "damaged-files": "ottla log verify complains of a stopped broker's files",
    "divergence": "replicas of a partition hold different batches",
    "worker-failed": "a client ended in an unforeseen way",
    "final-reads": "what there is could not be read to the end",
}


class Workers:
    """The clients, each in a process of its own."""

    def __init__(self, folder, bootstrap):
        self.folder, self.bootstrap, self.running = folder, bootstrap, {}
        self.said = {}

    def begin(self, program, name, *arguments):
        history_file = self.folder / f"{name}.jsonl"
        command = [sys.executable, str(HERE / program), name, self.bootstrap, str(history_file), *map(str, arguments)]
        errors = open(self.folder / f"{name}.errors", "wb")
        self.running[name] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.running[name].stdout.readline() == "started\n", f"{name} did not start"

    def end(self, kind):
        """Asks all of a kind to end; returns the names of those that failed."""
        named = {name: process for name, process in self.running.items() if name.startswith(kind)}
        for process in named.values():
            process.send_signal(signal.SIGTERM)
        failed = []
        for name, process in named.items():
            try:
                said, _ = process.communicate(timeout=WORKER_SECONDS_MAX)
                self.said[name] = json.loads(said)
            except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
                process.kill()
                process.wait()
                failed.append((name, repr(error)))
            del self.running[name]
        return failed

    def put_away(self):
        for process in self.running.values():
            process.kill()
            process.wait()


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=3600, help="seconds of harm")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--senders", type=int, default=3)
    parser.add_argument("--rate", type=float, default=60, help="records a second of each sender")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="a property of the brokers: NAME=VALUE")
    parser.add_argument("--only", default="", help=f"kinds of harm with commas between: {', '.join(nemeses.KINDS)}")
    parser.add_argument("--no-network", dest="network", action="store_false", help="without name spaces and partitions")
    parser.add_argument("--no-disks", dest="disks", action="store_false", help="without power cuts")
    parser.add_argument("--disk-megabytes", type=int, default=2048)
    parser.add_argument("--standalone", action="store_true", help="one broker without ZooKeeper")
    parser.add_argument("--out", default=None, help="where history, logs and the report stay (default: a new folder)")
    options = parser.parse_args(arguments)
    options.only = [kind for kind in options.only.split(",") if kind]
    if strange := set(options.only) - set(nemeses.KINDS):
        parser.error(f"--only does not know {', '.join(sorted(strange))}")
    options.settings = [tuple(each.split("=", 1)) for each in options.settings]
    options.seed = int.from_bytes(os.urandom(4), "big") if options.seed is None else options.seed
    return options


def begin_workers(workers, options, topic):
    kinds = [{}, {"compression.type": "lz4"}, {"linger.ms": 0, "max.in.flight.requests.per.connection": 1}]
    for number in range(options.senders):
        settings = json.dumps(kinds[number % len(kinds)])
        workers.begin("sending.py", f"sender-{number}", topic, options.partitions, options.rate, settings)
    strategies = ["range", "range", "range"]
    for number, strategy in enumerate(strategies):
        settings = json.dumps({"partition.assignment.strategy": strategy})
        workers.begin("reading.py", f"reader-{number}", topic, options.partitions, GROUP, settings)
    workers.begin("reading.py", "reader-alone", topic, options.partitions, "-", "{}")
    workers.begin("asking.py", "asker-0", topic, options.partitions, GROUP)


def run(options, folder, out):
    world = worlds.World(folder, options)
    workers = Workers(out / "history", world.cluster.bootstrap)
    campaign = Campaign(world, random.Random(options.seed))
    try:
        world.begin()
        world.tell(f"seed {options.seed}: {len(world.brokers)} brokers at {world.cluster.bootstrap}")
        begin_workers(workers, options, world.topic)
        campaign.run(options.duration)
        world.tell("healing")
        world.heal()
        if (seconds := world.wait_until_whole(HEAL_SECONDS_MAX)) is not None:
            world.tell(f"whole after {seconds:.1f} s")
        failed = workers.end("sender") + workers.end("asker")
        # Readers have a moment to come to the end; what they do not see then, the final reads do.
        campaign.rest(5)
        failed += workers.end("reader")
        for name, error in failed:
            world.blame("worker-failed", worker=name, error=error)
        try:
            count = final_reads.read_all(
                "final", world.cluster.bootstrap, out / "history/final.jsonl", world.topic, options.partitions
            )
            world.tell(f"{count} records are there")
        except AssertionError as error:
            world.blame("final-reads", error=str(error))
        world.look_for_the_dead()
        for broker in world.brokers:
            world.stop(broker)
        world.verify_files()
        for finding in replicas.compare({str(each): each.data for each in world.brokers}, world.topic, options.partitions):
            world.blame(finding[0], **finding[1])
        events = history.read((out / "history").glob("*.jsonl"))
        findings = [tuple(finding) for finding in analysis.analyse(events)]
        for name in dict.fromkeys(name for name, _ in world.findings):
            findings.append((name, MEANINGS[name], [detail for each, detail in world.findings if each == name]))
        return reports.document(options, world, campaign, events, findings, workers.said)
    finally:
        workers.put_away()
        world.cluster.keep_logs(out / "logs")
        (out / "nemeses.txt").write_text("\n".join(world.told) + "\n")
        world.put_away()


def main():
    options = options_of(sys.argv[1:])
    out = pathlib.Path(options.out or tempfile.mkdtemp(prefix="ottla-chaos-cluster-"))
    (out / "history").mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    # Ids of processes make the names of disk images unlike those of other runs.
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ottla-cluster-{os.getpid()}-"))
    try:
        report = run(options, folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    words = reports.text(report)
    (out / "report.txt").write_text(words + "\n")
    print(words)
    print(f"history, logs and report: {out}")
    sys.exit(0 if report["passed"] else 1)


if __name__ == "__main__":
    main()
