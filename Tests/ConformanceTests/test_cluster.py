"""Three brokers and a real ZooKeeper, with real clients: what an operator does to a cluster, and what the machines do."""

import json
import subprocess
import time

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient

import wire
import zookeeper
from broker import PROGRAM
from cluster import Cluster
from processes import wait_until
from wire import Connection, W, batch

pytestmark = pytest.mark.skipif(not zookeeper.is_installed(), reason="ZooKeeper is not installed (scripts/packages cluster)")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A cluster that tests leave as whole as they found it."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster.start()
    finally:
        cluster.put_away()


@pytest.fixture
def cluster(shared):
    """The shared cluster, whole."""
    for process in shared.processes:
        process.resume()
        if not process.is_running:
            process.forget()
            process.start()
    shared.zookeeper.wait_until_serving()
    for broker in shared.brokers:
        broker.wait_until_ready()
    shared.wait_until_whole()
    return shared


@pytest.fixture
def own_cluster(tmp_path):
    """Makes clusters that belong to one test."""
    made = []

    def make(**options):
        cluster = Cluster(tmp_path / f"cluster-{len(made)}", **options)
        made.append(cluster)
        return cluster.start()

    yield make
    for cluster in made:
        cluster.put_away()


def ottla(cluster, *words, check=True, seconds=120):
    """A command of the program against the cluster: (exit code, output, errors)."""
    done = subprocess.run([PROGRAM, *words, "-b", cluster.bootstrap], capture_output=True, text=True, timeout=seconds)
    assert not check or done.returncode == 0, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
    return done


def status(cluster):
    return json.loads(ottla(cluster, "cluster", "status", "--all", "-o", "json").stdout)


class Stream:
    """Records to every partition at acks=all; `check` asks that each acknowledged one is there once, in order."""

    def __init__(self, cluster, topic, partitions):
        self.cluster, self.topic, self.partitions, self.number = cluster, topic, partitions, 0
        self.acknowledged, self.failed = [], []
        self.producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "linger.ms": 2, "reconnect.backoff.max.ms": 500,
                "message.timeout.ms": 60_000, "request.timeout.ms": 5000, "socket.timeout.ms": 8000, "log_level": 0,
            }
        )

    def send(self, count=50):
        for _ in range(count):
            number = self.number
            self.number += 1

            def delivered(error, message, number=number):
                (self.failed if error else self.acknowledged).append((number, str(error)))

            self.producer.produce(self.topic, b"%d" % number, partition=number % self.partitions, on_delivery=delivered)
        return self

    def flush(self, seconds=60):
        left = self.producer.flush(seconds)
        assert left == 0 and not self.failed, f"{left} left, {len(self.failed)} failed: {self.failed[:3]}\n{self.cluster.logs_end()}"
        return self

    def check(self):
        self.flush()
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": self.cluster.bootstrap, "group.id": "checker", "enable.partition.eof": True, "log_level": 0}
        )
        try:
            places = [
                confluent_kafka.TopicPartition(self.topic, number, confluent_kafka.OFFSET_BEGINNING)
                for number in range(self.partitions)
            ]
            consumer.assign(places)
            found, ended, deadline = {number: [] for number in range(self.partitions)}, set(), time.monotonic() + 60
            while len(ended) < self.partitions:
                assert time.monotonic() < deadline, f"only the ends of {ended} are reached\n{self.cluster.logs_end()}"
                for message in consumer.consume(1000, 0.2):
                    if message.error() is None:
                        found[message.partition()].append(int(message.value()))
                    elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
        finally:
            consumer.close()
        for number, values in found.items():
            assert values == sorted(set(values)), f"partition {number}: doubled or out of order"
        missing = {number for number, _ in self.acknowledged} - {value for values in found.values() for value in values}
        assert not missing, f"{len(missing)} acknowledged records are gone, as {sorted(missing)[:5]}"
        return sum(map(len, found.values()))


def test_three_brokers_keep_everything_three_times(cluster, name):
    topic = name("kept")
    cluster.create_topic(topic, 6)
    assert Stream(cluster, topic, 6).send(600).check() == 600
    seen = status(cluster)
    assert [broker["alive"] for broker in seen["brokers"]] == [True] * 3
    assert seen["controller"] in (1, 2, 3)
    ours = [each for each in seen["partitions"]["all"] if each["topic"] == topic]
    assert all(sorted(each["isr"]) == [1, 2, 3] for each in ours)
    # Each leads two of the six.
    assert sorted(sum(each["leader"] == number for each in ours) for number in (1, 2, 3)) == [2, 2, 2]


@pytest.mark.parametrize("who", ["leader", "controller"])
def test_a_broker_is_killed_under_load(cluster, name, who):
    topic = name("killed")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send().flush()
    victim = cluster.leader(topic) if who == "leader" else cluster.controller()
    victim.kill()
    began = time.monotonic()
    stream.send().flush()
    assert time.monotonic() - began < 30
    cluster.wait_for(
        lambda seen: all(each.leader not in (-1, victim.number) for each in seen.partitions), "others lead", topics=[topic]
    )
    victim.start()
    cluster.wait_until_whole()
    stream.send().check()


def test_a_broker_that_is_back_before_its_session_is_over(cluster, name):
    """It was gone all the same: first it leaves every ISR, then it comes again."""
    topic = name("bounced")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send().flush()
    before = cluster.metadata([topic]).of(topic)
    victim = cluster.leader(topic)
    victim.kill()
    victim.start()
    stream.send().flush()
    cluster.wait_until_whole()
    after = cluster.metadata([topic]).of(topic)
    for number, partition in before.items():
        if partition.leader == victim.number:
            assert after[number].leader_epoch > partition.leader_epoch
    stream.check()


def test_a_broker_that_stands_still_is_fenced(cluster, name):
    topic = name("paused")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send().flush()
    victim = cluster.leader(topic)
    victim.pause()
    cluster.wait_for(
        lambda seen: all(each.leader != victim.number for each in seen.partitions), "others lead", topics=[topic]
    )
    stream.send().flush()
    victim.resume()
    cluster.wait_until_whole()
    stream.send().check()


def test_brokers_are_restarted_one_after_the_other_and_no_client_sees_an_error(cluster, name):
    topic = name("rolled")
    cluster.create_topic(topic, 6)
    stream = Stream(cluster, topic, 6)
    for broker in cluster.brokers:
        stream.send()
        assert broker.stop() == 0
        stream.send().flush()
        broker.start()
        cluster.wait_until_whole()
    stream.check()


def test_two_brokers_of_three_are_killed(cluster, name):
    """With fewer than min.insync.replicas left acks=all waits; when the others are back everything is as it was."""
    topic = name("two")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send().flush()
    left = cluster.leader(topic)
    gone = [broker for broker in cluster.brokers if broker is not left]
    for victim in gone:
        victim.kill()
    stream.send(30)
    assert stream.producer.flush(6) > 0
    for victim in gone:
        victim.start()
    cluster.wait_until_whole()
    stream.send().check()


def test_all_brokers_are_killed_at_once(cluster, name):
    topic = name("all")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send(300).flush()
    for broker in cluster.brokers:
        broker.kill()
    for broker in cluster.brokers:
        broker.start(wait=False)
    cluster.wait_until_whole()
    stream.send().check()


def test_without_zookeeper_records_go_on_and_changes_wait(cluster, name):
    topic = name("alone")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send().flush()
    for server in cluster.zookeeper.servers:
        server.kill()
    began = time.monotonic()
    while time.monotonic() - began < 8:  # Longer than a session.
        stream.send(20).flush(20)
        time.sleep(0.5)
    refused = ottla(cluster, "topic", "create", name("never"), "--timeout", "3000", check=False)
    assert refused.returncode == 1, refused.stdout
    for server in cluster.zookeeper.servers:
        server.start()
    cluster.zookeeper.wait_until_serving()
    cluster.wait_until_whole()
    cluster.create_topic(name("later"))
    stream.send().check()


def test_a_group_goes_on_when_its_coordinator_is_killed(cluster, name):
    topic, group = name("grouped"), name("group")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send(300).flush()
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap, "group.id": group, "auto.offset.reset": "earliest", "log_level": 0,
            "enable.auto.commit": False, "session.timeout.ms": 10_000, "heartbeat.interval.ms": 500,
        }
    )
    try:
        consumer.subscribe([topic])
        values = _read(consumer, 300)
        consumer.commit(asynchronous=False)
        victim = cluster.coordinator(group)
        victim.kill()
        stream.send(300).flush()
        values += _read(consumer, 300)
        wait_until(lambda: _commits(consumer), 30, "a commit is taken")
    finally:
        consumer.close()
    assert sorted(values) == list(range(600))
    described = json.loads(ottla(cluster, "group", "describe", group, "-o", "json").stdout)
    assert sum(each["committed"] for each in described["partitions"]) == 600
    assert sum(each["lag"] for each in described["partitions"]) == 0


def _read(consumer, count):
    values, deadline = [], time.monotonic() + 60
    while len(values) < count:
        assert time.monotonic() < deadline, f"{len(values)} of {count} are read"
        values += [int(message.value()) for message in consumer.consume(count, 0.5) if message.error() is None]
    return values


def _commits(consumer):
    try:
        consumer.commit(asynchronous=False)
        return True
    except confluent_kafka.KafkaException:
        return False


# What an operator does


def test_reassign_gives_a_topic_more_replicas_and_takes_them_again(cluster, name):
    topic = name("moved")
    cluster.create_topic(topic, 3, replication=1)
    stream = Stream(cluster, topic, 3).send(300).flush()
    plan = ottla(cluster, "topic", "reassign", "--topic", topic, "--rf", "3")
    assert "nothing is changed yet" in plan.stderr
    assert all(len(each.replicas) == 1 for each in cluster.metadata([topic]).partitions)
    ottla(cluster, "topic", "reassign", "--topic", topic, "--rf", "3", "--execute", "--wait")
    cluster.wait_for(
        lambda seen: all(sorted(each.isr) == [1, 2, 3] for each in seen.partitions), "three in sync", topics=[topic]
    )
    stream.send().flush()
    ottla(cluster, "topic", "reassign", "--topic", topic, "--rf", "1", "--to-brokers", "2", "--execute", "--wait")
    cluster.wait_for(
        lambda seen: all(each.replicas == [2] and each.leader == 2 for each in seen.partitions), "on broker 2", topics=[topic]
    )
    stream.send().check()
    # With one replica it would be in the way of what other tests do.
    ottla(cluster, "topic", "delete", topic)


def test_drain_moves_leaderships_away_and_keeps_replicas(cluster, name):
    topic = name("drained")
    cluster.create_topic(topic, 6)
    stream = Stream(cluster, topic, 6).send().flush()
    ottla(cluster, "broker", "drain", "2")
    seen = status(cluster)
    assert next(each["leads"] for each in seen["brokers"] if each["id"] == 2) == 0
    assert all(sorted(each["replicas"]) == [1, 2, 3] for each in seen["partitions"]["all"] if each["topic"] == topic)
    stream.send().check()
    ottla(cluster, "topic", "reassign", "--all-topics", "--execute", "--wait")


def test_status_tells_of_what_is_missing(cluster, name):
    topic = name("missing")
    cluster.create_topic(topic, 3)
    assert ottla(cluster, "cluster", "status", "--check").returncode == 0
    cluster.broker(3).kill()
    cluster.wait_for(lambda seen: all(3 not in each.isr for each in seen.partitions), "3 is out", topics=[topic])
    seen = status(cluster)
    assert seen["partitions"]["underReplicated"] >= 3
    assert seen["partitions"]["offline"] == seen["partitions"]["underMinISR"] == 0
    checked = ottla(cluster, "cluster", "status", "--check", check=False)
    assert checked.returncode == 1 and "under-replicated" in checked.stderr
    cluster.broker(3).start()


def test_a_broker_is_decommissioned(own_cluster, name):
    cluster = own_cluster(brokers=4)
    topic = name("decommissioned")
    cluster.create_topic(topic, 6)
    stream = Stream(cluster, topic, 6).send(300).flush()
    command = subprocess.Popen(
        [PROGRAM, "broker", "decommission", "4", "-b", cluster.bootstrap], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        cluster.wait_for(lambda seen: all(4 not in each.replicas for each in seen.partitions), "broker 4 keeps nothing")
        assert cluster.broker(4).stop() == 0
        said, errors = command.communicate(timeout=60)
    finally:
        command.kill()
    assert command.returncode == 0, said + errors
    assert "no part of the cluster any more" in errors
    assert [each["id"] for each in status(cluster)["brokers"]] == [1, 2, 3]
    stream.send().check()


def test_a_producer_that_begins_without_a_controller_is_told_to_ask_again(cluster):
    """COORDINATOR_LOAD_IN_PROGRESS, as in Kafka: aiokafka takes NOT_CONTROLLER for the end."""
    controller = cluster.controller()
    other = next(broker for broker in cluster.brokers if broker is not controller)
    controller.kill()
    codes, began = [], time.monotonic()
    with Connection(other) as connection:
        # First it gives what it has of its block of a thousand.
        while codes[-1:] != [0] or codes.count(0) == len(codes):
            assert time.monotonic() - began < 20, set(codes)
            reader = connection.ask(wire.INIT_PRODUCER_ID, 0, W().string(None).i32(60_000).bytes)
            reader.i32()
            codes.append(reader.i16())
    controller.start()
    assert set(codes) == {0, 14}


@pytest.mark.parametrize("version", [1, 4, 5, 6])
def test_topics_are_deleted_through_any_broker(cluster, name, version):
    """Clients send it to the controller, as far as they know who that is; any other broker hands it on."""
    for broker in cluster.brokers:
        topic = name("deleted")
        cluster.create_topic(topic)
        with Connection(broker) as connection:
            assert connection.delete_topic(topic, version) == (topic, 0)
            assert connection.metadata([topic])[topic][0] == 3


def test_deleted_records_do_not_keep_a_replica_out(cluster, name):
    """A replica that begins with nothing copies a log that begins in the middle of a batch, and is in sync."""
    topic = name("shortened")
    cluster.create_topic(topic, 3, replication=1)
    for number, partition in cluster.metadata([topic]).of(topic).items():
        with Connection(cluster.broker(partition.leader)) as connection:
            assert connection.produce(topic, batch([b"%d" % value for value in range(10)]), number)[:2] == (0, 0)
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    for number, offset in enumerate((4, 9, 10)):
        (deleted,) = admin.delete_records([confluent_kafka.TopicPartition(topic, number, offset)]).values()
        assert deleted.result(10).low_watermark == offset
    ottla(cluster, "topic", "reassign", "--topic", topic, "--rf", "3", "--execute", "--wait", seconds=60)
    cluster.wait_until_whole(10)
    seen = cluster.metadata([topic]).of(topic)
    assert all(sorted(partition.isr) == [1, 2, 3] for partition in seen.values())


def test_two_brokers_with_one_id(own_cluster, tmp_path):
    """The second one does not start, and says why; the first one goes on."""
    from cluster import ClusterBroker
    from processes import free_ports

    cluster = own_cluster(brokers=3)
    twin = ClusterBroker(1, tmp_path / "twin", cluster.zookeeper.connect(), free_ports(1)[0])
    twin.start(wait=False)
    try:
        wait_until(lambda: twin.has_ended_by_itself, 40, lambda: f"the twin ends\n{twin.log_end()}")
        assert twin.process.returncode == 1
        assert "in use" in twin.log_text()
    finally:
        twin.put_away()
    assert cluster.broker(1).knows(3)


def test_a_cluster_that_is_stopped_in_order_begins_where_it_ended(own_cluster, name):
    cluster = own_cluster()
    topic = name("stopped")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send(300).flush()
    running = list(cluster.brokers)
    for broker in running:
        broker.ask_to_stop()
    assert [broker.wait_for_end() for broker in running] == [0, 0, 0]
    for broker in running:
        broker.start(wait=False)
    cluster.wait_until_whole()
    stream.send().check()


def _fetch_as_replica(broker, replica, epoch, version=15):
    """A Fetch that says it copies for that broker; the error code of the whole answer."""
    body = W().i32(0).i32(1).i32(1 << 20).i8(0).i32(0).i32(0).uvarint(1).uvarint(1).compact_string("")
    if version >= 15:
        state = W().i32(replica).i64(epoch).tags().bytes
        body.uvarint(1).uvarint(1).uvarint(len(state)).raw(state)
    else:
        body = W().i32(replica).raw(body.bytes).tags()
    with Connection(broker) as connection:
        reader = connection.ask(wire.FETCH, version, body.bytes, flexible=True)
        reader.i32()
        return reader.i16()


def test_nobody_but_a_broker_is_taken_for_a_replica(cluster):
    """What a replica fetches counts as stored there: whoever only says that it is one is refused, and nothing is lost."""
    leader = cluster.brokers[0]
    for replica in (1, 2, 3, 7):
        for epoch in (-1, 0, 1 << 33):
            assert _fetch_as_replica(leader, replica, epoch) == 31, "CLUSTER_AUTHORIZATION_FAILED"
    assert _fetch_as_replica(leader, 2, 0, version=14) == 35, "UNSUPPORTED_VERSION"
    # Nor may anybody pass a command on as a broker does.
    envelope = W().compact_data(b"\x00\x13\x00\x07\x00\x00\x00\x01").uvarint(0).compact_data(b"").tags()
    with Connection(leader) as connection:
        reader = connection.ask(58, 0, envelope.bytes, flexible=True)
        message = reader.compact_string()
        assert reader.i16() == 31 and "only brokers" in message
    cluster.wait_until_whole()


# Replicas that cannot be served


def _offline_at(broker):
    return lambda seen: all(
        each.leader not in (-1, broker.number) and broker.number not in each.isr and each.offline == [broker.number]
        for each in seen.partitions
    )


def test_a_leader_that_cannot_make_its_logs_gives_them_away(cluster, name):
    """Where its partitions' folders should be there are files: it is chosen as their leader, and cannot be."""
    topic = name("unmade")
    victim = cluster.broker(1)
    stones = [victim.data / f"{topic}-{number}" for number in range(3)]
    for stone in stones:
        stone.write_text("not a folder")
    with Connection(cluster.broker(2)) as connection:
        connection.create_topic(topic, 3, None, 3)
    cluster.wait_for(_offline_at(victim), "others lead what broker 1 cannot open", topics=[topic])
    stream = Stream(cluster, topic, 3).send(300).flush()
    assert status(cluster)["partitions"]["offline"] == 0
    for stone in stones:
        stone.unlink()
    assert victim.stop() == 0
    victim.start()
    cluster.wait_until_whole()
    assert all(each.offline == [] for each in cluster.metadata([topic]).partitions)
    stream.send().check()


def test_a_log_that_cannot_be_opened_at_a_restart(cluster, name):
    topic = name("shut")
    cluster.create_topic(topic, 3)
    stream = Stream(cluster, topic, 3).send(300).flush()
    victim = cluster.leader(topic)
    victim.kill()
    kept = []
    for number in range(3):
        folder = victim.data / f"{topic}-{number}"
        kept.append(folder.rename(folder.with_name(f"kept-of-{topic}-{number}-by-a-test")))
        folder.write_text("not a folder")
    victim.start()
    stream.send().flush()
    cluster.wait_for(_offline_at(victim), "others lead, and it is offline there", topics=[topic])
    stream.send().check()
    assert victim.stop() == 0
    for number, folder in enumerate(kept):
        (victim.data / f"{topic}-{number}").unlink()
        folder.rename(victim.data / f"{topic}-{number}")
    victim.start()
    cluster.wait_until_whole()
    assert all(each.offline == [] for each in cluster.metadata([topic]).partitions)
    stream.send().check()
