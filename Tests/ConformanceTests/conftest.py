"""What the conformance tests share: brokers, fresh topics, and the clients of Kafka unmodified.

With --cluster-with-faults the shared broker is three brokers and a real ZooKeeper, and one broker after the other is killed and restarted
while the tests run: those of clients, as they are.
"""

import collections
import itertools
import random

import pytest

import zookeeper
from broker import Broker
from faults import ShakenCluster
from wire import Connection

_numbers = itertools.count()
_shaken = []
_not_for_a_cluster = collections.Counter()


def pytest_addoption(parser):
    parser.addoption("--cluster-with-faults", action="store_true", help="the tests of clients, on a cluster that is done harm to")
    parser.addoption("--seed", type=int, help="of the harm; drawn where it is not given")


def pytest_configure(config):
    config.addinivalue_line("markers", "one_node(reason): about one node's inside; not for --cluster-with-faults")
    config.addinivalue_line("markers", "brief: part of the short form of --cluster-with-faults")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--cluster-with-faults"):
        return
    reasons = {item: _why_one_node(item) for item in items}
    _not_for_a_cluster.update(filter(None, reasons.values()))
    config.hook.pytest_deselected(items=[item for item in items if reasons[item]])
    items[:] = [item for item in items if not reasons[item]]


def _why_one_node(item):
    """Why a test is not for the cluster, or None for one that is."""
    marker = item.get_closest_marker("one_node")
    if marker:
        return marker.args[0]
    if "own_broker" in item.fixturenames or "broker" not in item.fixturenames:
        return "stops, restarts and configures brokers of its own, or needs none"
    if "wire" in item.fixturenames:
        return "sends requests by hand on one connection, to the one broker there is"
    return None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        for broker in _shaken:
            outcome.get_result().sections.append(("what was done to the cluster", broker.story()))


def pytest_terminal_summary(terminalreporter):
    for broker in _shaken:
        terminalreporter.section("cluster with faults")
        terminalreporter.write_line(broker.nemesis.figures())
        for reason, count in _not_for_a_cluster.most_common():
            terminalreporter.write_line(f"{count} tests are for one node: {reason}")


@pytest.fixture(scope="session")
def broker(request, tmp_path_factory):
    """The broker that tests share which leave it as it is."""
    if request.config.getoption("--cluster-with-faults"):
        if not zookeeper.is_installed():
            pytest.skip("ZooKeeper is not installed (scripts/packages cluster)")
        seed = request.config.getoption("--seed")
        broker = ShakenCluster(tmp_path_factory.mktemp("shaken"), random.randrange(1 << 31) if seed is None else seed)
        _shaken.append(broker)
        try:
            yield broker.start()
        finally:
            broker.stop()
        return
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    if broker.process is not None:
        broker.stop()


@pytest.fixture(autouse=True)
def shared_broker_lives(request):
    """Whatever a test did, the shared broker must be there for the next one."""
    if "broker" not in request.fixturenames:
        yield
        return
    broker = request.getfixturevalue("broker")
    broker.begin_test()
    yield
    broker.check_alive()


@pytest.fixture
def own_broker(tmp_path):
    """Makes brokers that belong to one test, which may stop, kill and restart them."""
    made = []

    def make(**settings):
        folder = tmp_path / f"broker-{len(made)}"
        folder.mkdir()
        broker = Broker(folder, {name.replace("_", "."): str(value) for name, value in settings.items()})
        made.append(broker)
        return broker.start()

    yield make
    for broker in made:
        if broker.process is not None:
            broker.stop()


def fresh_name(stem):
    """A name that no other test uses."""
    return f"{stem}-{next(_numbers)}"


@pytest.fixture
def name():
    return fresh_name


@pytest.fixture
def make_topic(broker):
    """Creates a topic on the shared broker and returns its name."""

    def make(stem="topic", partitions=1, configs=None):
        topic = fresh_name(stem)
        broker.create_topic(topic, partitions, configs)
        return topic

    return make


@pytest.fixture
def wire(broker):
    """A raw connection to the shared broker."""
    with Connection(broker) as connection:
        yield connection
