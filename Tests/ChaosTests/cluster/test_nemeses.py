"""Whatever is drawn does harm to what it names, and takes all of it back."""

import collections
import random

import pytest

import campaign
from campaign import Campaign
from nemeses import draw
from network import CLIENTS

pytestmark = pytest.mark.short


class Victim:
    def __init__(self, name, host):
        self.name, self.host, self.state = name, host, "running"

    def __str__(self):
        return self.name

    def kill(self):
        self.state = "dead"

    def pause(self):
        self.state = "paused"

    def resume(self):
        if self.state == "paused":
            self.state = "running"


class FakeNetwork:
    def __init__(self):
        self.deaf = set()

    def cut(self, pairs):
        self.deaf |= set(pairs)

    def heal(self):
        self.deaf = set()


class FakeWorld:
    """Processes, disks and a network that are only states."""

    def __init__(self, brokers=3):
        self.brokers = [Victim(f"broker-{n}", f"b{n}") for n in range(1, brokers + 1)]
        self.zookeepers = [Victim(f"zookeeper-{n}", f"z{n}") for n in range(1, 4)]
        self.network, self.partitions, self.told = FakeNetwork(), 4, []
        self.disks = {broker.name: "on" for broker in self.brokers}
        self.stopped, self.only = [], frozenset()

    def start(self, victim):
        assert self.disks.get(victim.name, "on") == "on", "started without power"
        victim.state = "running"

    def stop(self, victim):
        self.stopped.append(victim)
        victim.state = "dead"

    def cut_power(self, victim):
        self.disks[victim.name] = "off"
        victim.state = "dead"

    def power_on(self, victim):
        self.disks[victim.name] = "on"

    def controller(self):
        return self.brokers[0]

    def leader(self, partition):
        return None

    def tell(self, words):
        self.told.append(words)

    def look_for_the_dead(self):
        pass

    def wait_until_whole(self, seconds):
        assert self.is_whole()
        return 0.0

    def is_whole(self):
        states = {victim.state for victim in self.brokers + self.zookeepers}
        return states == {"running"} and not self.network.deaf and set(self.disks.values()) == {"on"}


@pytest.mark.parametrize("seed", range(300))
def test_harm_is_done_and_taken_back(seed):
    world = FakeWorld()
    nemesis = draw(world, random.Random(seed))
    assert world.is_whole() and nemesis.takes and nemesis.name
    nemesis.begin()
    assert not world.is_whole() or world.stopped, f"{nemesis.name} does nothing"
    # Nobody is cut off from itself, and nobody suffers who is not taken.
    assert all(source != target for source, target in world.network.deaf)
    for victim in world.brokers + world.zookeepers:
        assert victim.state == "running" or victim.name in nemesis.takes
    nemesis.end()
    assert world.is_whole()


def test_all_kinds_are_drawn():
    kinds = collections.Counter()
    for seed in range(400):
        world = FakeWorld()
        nemesis = draw(world, random.Random(seed))
        kinds[type(nemesis).__name__] += 1
        nemesis.begin()
        if (CLIENTS, "b1") in world.network.deaf and ("b1", "b2") not in world.network.deaf:
            kinds["clients alone"] += 1
        if ("b1", "b2") in world.network.deaf and ("b2", "b1") not in world.network.deaf:
            kinds["one way"] += 1
        if sum(victim.state == "dead" for victim in world.zookeepers) >= 2:
            kinds["no quorum"] += 1
        if sum(victim.state == "dead" for victim in world.brokers) == 3:
            kinds["all brokers"] += 1
    for name in ("Kill", "Pause", "Restart", "PowerCut", "Cut", "clients alone", "one way", "no quorum", "all brokers"):
        assert kinds[name] > 0, f"{name} never: {kinds}"


def test_only_what_is_asked_for():
    world = FakeWorld()
    world.only = {"power", "restart"}
    assert {type(draw(world, random.Random(seed))).__name__ for seed in range(50)} == {"PowerCut", "Restart"}
    world.only, world.disks = {"power"}, {}
    with pytest.raises(AssertionError, match="can be done here"):
        draw(world, random.Random(0))


def test_a_world_of_one_suffers_what_it_can():
    for seed in range(100):
        world = FakeWorld(brokers=1)
        world.zookeepers = []
        nemesis = draw(world, random.Random(seed))
        nemesis.begin()
        nemesis.end()
        assert world.is_whole()


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def told(seed, monkeypatch):
    clock, world = Clock(), FakeWorld()
    monkeypatch.setattr(campaign, "time", clock)
    Campaign(world, random.Random(seed)).run(300)
    assert world.is_whole()
    return world.told


def test_a_seed_gives_one_campaign(monkeypatch):
    assert told(1, monkeypatch) == told(1, monkeypatch)
    assert told(1, monkeypatch) != told(2, monkeypatch)


@pytest.mark.parametrize("seed", range(20))
def test_no_victim_has_two_nemeses_at_once(seed, monkeypatch):
    rounds = collections.defaultdict(list)
    chance = random.Random(seed)
    world = FakeWorld()
    monkeypatch.setattr(campaign, "time", Clock())
    subject = Campaign(world, chance)
    for _ in range(20):
        chosen = subject.chosen()
        taken = [each for nemesis in chosen for each in nemesis.takes]
        assert len(taken) == len(set(taken)) and chosen
        rounds[len(chosen)].append(chosen)
    assert len(rounds) > 1, "one at a time, and several at once"
