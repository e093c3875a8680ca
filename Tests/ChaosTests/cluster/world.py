"""A cluster to do harm to: its processes, its network, its disks, and what it owes: each process that ends by itself is noted."""

import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "ConformanceTests"), str(HERE.parent)]

from broker import PROGRAM  # noqa: E402
from cluster import Cluster  # noqa: E402
from machine import PowerCutDisk  # noqa: E402
from network import Network  # noqa: E402
from wire import Closed  # noqa: E402

STOP_SECONDS_MAX = 60
STANDS_STILL_SECONDS_MAX = 5


class World:
    """`findings` are (name, detail) of what no history shows: processes that end by themselves or do not end."""

    def __init__(self, folder, options):
        self.folder, self.partitions, self.topic = pathlib.Path(folder), options.partitions, "chaos"
        self.only = frozenset(options.only)
        self.findings, self.told = [], []
        self.network = Network() if options.network else None
        count, zookeepers = (1, 0) if options.standalone else (options.brokers, 3)
        broker_places = [self.network.node(f"broker-{n}") for n in range(1, count + 1)] if self.network else None
        zookeeper_places = [self.network.node(f"zookeeper-{n}") for n in range(1, zookeepers + 1)] if self.network else None
        self.disks = self._make_disks(count, options.disk_megabytes) if options.disks else {}
        data = [disk.place / "data" for disk in self.disks.values()] or None
        settings = {"log.segment.bytes": 1_000_000, **dict(options.settings)}
        self.cluster = Cluster(
            self.folder, count, zookeepers, settings, broker_places, zookeeper_places, data
        )
        self.brokers, self.zookeepers = self.cluster.brokers, self.cluster.zookeeper.servers
        self.replication = min(3, count)

    def _make_disks(self, count, megabytes):
        disks = {}
        for number in range(1, count + 1):
            # The image is named for the folder, beside those of other runs.
            folder = self.folder / f"{self.folder.name}-disk-{number}"
            folder.mkdir()
            disks[f"broker-{number}"] = PowerCutDisk(folder, megabytes)
            disks[f"broker-{number}"].make()
        return disks

    def tell(self, words):
        """A line for who watches, with the time."""
        line = f"{time.strftime('%H:%M:%S')} {words}"
        self.told.append(line)
        print(line, flush=True)

    def blame(self, name, **detail):
        self.tell(f"FOUND {name}: {detail}")
        self.findings.append((name, detail))

    def begin(self):
        self.cluster.start()
        self.cluster.create_topic(self.topic, self.partitions, self.replication)

    # What nemeses do

    def start(self, process):
        if process.is_running:
            return
        process.forget()
        if process in self.brokers:
            process.start(wait=False)
        else:
            process.start()

    def stop(self, process):
        """SIGTERM; it must end in order, and in time."""
        if not process.is_running:
            return
        try:
            status = process.stop(STOP_SECONDS_MAX)
        except AssertionError:
            self.blame("stop-hangs", process=str(process), seconds=STOP_SECONDS_MAX, log=process.log_end(1500))
            return
        if process in self.brokers and status != 0:
            self.blame("stop-fails", process=str(process), status=status, log=process.log_end(1500))

    def cut_power(self, broker):
        """Process and disk go at the same moment: it stands still first, so that it says nothing of what it does afterwards."""
        if broker.is_running:
            broker.pause()
            deadline = time.monotonic() + STANDS_STILL_SECONDS_MAX
            while not _stands_still(broker.pid) and time.monotonic() < deadline:
                time.sleep(0.001)
        self.disks[broker.name].cut_power()
        broker.kill()

    def power_on(self, broker):
        self.disks[broker.name].power_on()

    def look_for_the_dead(self):
        """Whoever has ended without being asked is a finding, and is started again."""
        for process in self.brokers + self.zookeepers:
            if process.has_ended_by_itself:
                status = process.process.returncode
                log = _last_words(process.log_text())
                process.forget()
                if process in self.brokers:
                    self.blame("ended-by-itself", process=str(process), status=_words(status), log=log)
                self.start(process)

    def controller(self):
        return self._broker(lambda: self.cluster.metadata([]).controller)

    def leader(self, partition):
        return self._broker(lambda: self.cluster.metadata([self.topic]).of(self.topic)[partition].leader)

    def _broker(self, ask):
        try:
            number = ask()
        except (OSError, Closed, AssertionError, KeyError):
            return None
        return self.brokers[number - 1] if 1 <= number <= len(self.brokers) else None

    # The end

    def heal(self):
        if self.network:
            self.network.heal()
        for process in self.zookeepers + self.brokers:
            process.resume()
        for broker in self.brokers:
            if broker.name in self.disks and self.disks[broker.name].is_cut:
                self.power_on(broker)
        for process in self.zookeepers + self.brokers:
            self.start(process)

    def wait_until_whole(self, seconds):
        """How long it took until all replicas were in sync; None where it did not come to that."""
        started = time.monotonic()
        try:
            self.cluster.wait_until_whole(seconds)
        except AssertionError as error:
            self.look_for_the_dead()
            self.blame("not-whole-in-time", seconds=seconds, state=str(error)[:2000])
            return None
        return time.monotonic() - started

    def verify_files(self):
        """The stopped brokers' files, by the program itself."""
        for broker in self.brokers:
            done = subprocess.run([PROGRAM, "log", "verify", str(broker.data)], capture_output=True, text=True, timeout=600)
            if done.returncode != 0:
                self.blame("damaged-files", process=str(broker), said=(done.stdout + done.stderr)[-2000:])

    def put_away(self):
        self.cluster.put_away()
        for disk in self.disks.values():
            disk.put_away()


def _stands_still(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        if state not in "TtDZ":
            return False
    return True


def _last_words(log):
    """The end of a log; where it ends in the report of a crash, what stands before that and how it begins."""
    cut = log.rfind("*** Signal")
    return log[-2000:] if cut < 0 else log[max(0, cut - 2500) : cut] + "\n".join(
        line for line in log[cut:].splitlines() if " in ottla at " in line or "crashed" in line
    )[:2500]


def _words(status):
    return signal.Signals(-status).name if status < 0 else status
