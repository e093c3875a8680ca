"""What the conformance tests share: brokers, fresh topics, and the clients of Kafka unmodified."""

import itertools

import pytest

from broker import Broker
from wire import Connection

_numbers = itertools.count()


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """The broker that tests share which leave it as it is."""
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    if broker.process is not None:
        broker.stop()


@pytest.fixture(autouse=True)
def shared_broker_lives(request):
    """Whatever a test did, the shared broker must be there for the next one."""
    yield
    if "broker" in request.fixturenames:
        request.getfixturevalue("broker").check_alive()


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
        with Connection(broker) as connection:
            connection.create_topic(topic, partitions, configs)
        return topic

    return make


@pytest.fixture
def wire(broker):
    """A raw connection to the shared broker."""
    with Connection(broker) as connection:
        yield connection
