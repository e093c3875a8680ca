"""What goes wrong, and how it is put right again.

A nemesis is drawn with its victims; `begin` does the harm, `end` takes it back. `takes` names what it must have for itself: two that
take the same thing are not at work at the same time.
"""

from network import CLIENTS, both_ways


class Nemesis:
    takes = frozenset()
    seconds = (2, 12)

    def begin(self):
        raise NotImplementedError

    def end(self):
        pass


def _names(things):
    return ", ".join(str(thing) for thing in things)


class Kill(Nemesis):
    """SIGKILL. Some are back before their session is over (KIP-380), some long after."""

    seconds = (0.1, 12)

    def __init__(self, world, victims):
        self.world, self.victims = world, victims
        self.takes = frozenset(map(str, victims))
        self.name = f"kill -9 {_names(victims)}"

    def begin(self):
        for victim in self.victims:
            victim.kill()

    def end(self):
        for victim in self.victims:
            self.world.start(victim)


class Restart(Kill):
    """SIGTERM, one after the other, each started again: as an operator does it."""

    seconds = (0, 0)

    def __init__(self, world, victims):
        super().__init__(world, victims)
        self.name = f"SIGTERM {_names(victims)}"

    def begin(self):
        for victim in self.victims:
            self.world.stop(victim)
            self.world.start(victim)

    def end(self):
        pass


class Pause(Nemesis):
    """SIGSTOP, for shorter or longer than a session, then SIGCONT: it does not know that time has passed."""

    seconds = (1, 10)

    def __init__(self, world, victims):
        self.victims = victims
        self.takes = frozenset(map(str, victims))
        self.name = f"SIGSTOP {_names(victims)}"

    def begin(self):
        for victim in self.victims:
            victim.pause()

    def end(self):
        for victim in self.victims:
            victim.resume()


class PowerCut(Nemesis):
    """The machines lose their power: what was not flushed is gone."""

    seconds = (0.1, 8)

    def __init__(self, world, victims):
        self.world, self.victims = world, victims
        self.takes = frozenset(map(str, victims))
        self.name = f"power cut at {_names(victims)}"

    def begin(self):
        for victim in self.victims:
            self.world.cut_power(victim)

    def end(self):
        for victim in self.victims:
            self.world.power_on(victim)
            self.world.start(victim)


class Cut(Nemesis):
    """Packets that do not arrive. One cut at a time: all of them are healed together."""

    takes = frozenset(["network"])
    seconds = (2, 20)

    def __init__(self, world, name, pairs):
        self.network, self.name, self.pairs = world.network, name, pairs

    def begin(self):
        self.network.cut(self.pairs)

    def end(self):
        self.network.heal()


def draw(world, chance):
    """One nemesis, of those that this world can suffer, and is to."""
    return KINDS[chance.choice(possible(world))](world, chance)


def possible(world):
    """Names of kinds; what stands there twice is drawn twice as often."""
    kinds = ["kill", "kill", "pause", "restart"]
    if world.zookeepers:
        kinds += ["zookeeper-kill", "zookeeper-quorum", "zookeeper-pause"]
    if world.disks:
        kinds += ["power", "power"]
    if world.network:
        kinds += ["isolate", "isolate", "clients"]
    if world.network and len(world.brokers) > 1:
        kinds += ["one-way", "without-zookeeper", "between-brokers"]
    chosen = [kind for kind in kinds if not world.only or kind in world.only]
    assert chosen, f"none of {', '.join(sorted(world.only))} can be done here"
    return chosen


def _some(chance, things, most=None):
    return sorted(chance.sample(things, chance.randrange(1, min(most or len(things), len(things)) + 1)), key=str)


def _victims(world, chance):
    """One broker mostly, the controller or a leader on purpose now and then, sometimes several or all."""
    if chance.random() < 0.3:
        special = world.controller() if chance.random() < 0.5 else world.leader(chance.randrange(world.partitions))
        if special is not None:
            return [special]
    return _some(chance, world.brokers, 1 if chance.random() < 0.7 else None)


def _kill(world, chance):
    return Kill(world, _victims(world, chance))


def _pause(world, chance):
    return Pause(world, _victims(world, chance))


def _restart(world, chance):
    return Restart(world, _some(chance, world.brokers))


def _power_cut(world, chance):
    return PowerCut(world, _victims(world, chance))


def _kill_zookeeper(world, chance):
    return Kill(world, _some(chance, world.zookeepers, 1))


def _zookeeper_quorum(world, chance):
    most = len(world.zookeepers)
    return Kill(world, sorted(chance.sample(world.zookeepers, chance.randrange(most // 2 + 1, most + 1)), key=str))


def _pause_zookeeper(world, chance):
    return Pause(world, _some(chance, world.zookeepers, 1))


def _hosts(things):
    return [thing.host for thing in things]


def _isolate(world, chance):
    victim = chance.choice(world.brokers)
    others = [host for host in _hosts(world.brokers + world.zookeepers) + [CLIENTS] if host != victim.host]
    return Cut(world, f"{victim} alone", both_ways([(victim.host, host) for host in others]))


def _one_way(world, chance):
    victim = chance.choice(world.brokers)
    others = [host for host in _hosts(world.brokers + world.zookeepers) if host != victim.host]
    if chance.random() < 0.5:
        return Cut(world, f"{victim} hears nobody", [(host, victim.host) for host in others])
    return Cut(world, f"{victim} is heard by nobody", [(victim.host, host) for host in others])


def _from_zookeeper(world, chance):
    victims = _some(chance, world.brokers)
    pairs = [(victim.host, host) for victim in victims for host in _hosts(world.zookeepers)]
    return Cut(world, f"{_names(victims)} without ZooKeeper", both_ways(pairs))


def _between_brokers(world, chance):
    """Some pairs of brokers do not hear each other, though ZooKeeper and clients hear both: rings, bridges and halves."""
    hosts = _hosts(world.brokers)
    pairs = [(a, b) for place, a in enumerate(hosts) for b in hosts[place + 1 :]]
    chosen = chance.sample(pairs, chance.randrange(1, len(pairs) + 1))
    words = ", ".join(f"{a} and {b}" for a, b in sorted(chosen))
    return Cut(world, f"not between {words}", both_ways(chosen))


def _from_clients(world, chance):
    victims = _some(chance, world.brokers, 2)
    return Cut(world, f"clients without {_names(victims)}", both_ways([(CLIENTS, victim.host) for victim in victims]))


KINDS = {
    "kill": _kill, "pause": _pause, "restart": _restart, "power": _power_cut, "zookeeper-kill": _kill_zookeeper,
    "zookeeper-quorum": _zookeeper_quorum, "zookeeper-pause": _pause_zookeeper, "isolate": _isolate, "one-way": _one_way,
    "without-zookeeper": _from_zookeeper, "between-brokers": _between_brokers, "clients": _from_clients,
}
