"""Consumer groups of real clients: members come and go, nothing is lost and nothing comes twice."""

import time

import aiokafka
import confluent_kafka
import kafka
import kafka.errors
import pytest

import wire as kafka_wire
from clients import Confluent, Kcat, Record, after_error, aiokafka_consumer, async_run, stop_aiokafka
from members import MEMBERS, AioKafkaMember, ConfluentMember, KafkaPythonMember, expect_seen, settle, wait_for
from wire import Connection, W, batch

PARTITIONS = 6
COMMIT_SECONDS_MAX = 5


def fill(broker, topic, first, count):
    """Puts `count` records, numbered from `first`, into each partition."""
    for partition in range(PARTITIONS):
        values = [b"%d-%d" % (partition, number) for number in range(first, first + count)]
        if broker.is_shaken:
            offsets = Confluent.write(broker, topic, partition, [Record(None, value) for value in values])
            assert offsets == list(range(first, first + count))
        else:
            with Connection(broker) as connection:
                assert connection.produce(topic, batch(values), partition)[:2] == (0, first)
    return sorted((p, n, b"%d-%d" % (p, n)) for p in range(PARTITIONS) for n in range(first, first + count))


@pytest.fixture
def company():
    """Members that leave at the end of the test, whatever happens."""
    members = []
    yield members
    for member in members:
        member._leaving.set()
    for member in members:
        member._thread.join(30)


def committed(broker, group, topic):
    """{partition: committed offset}, asked from the coordinator by hand."""
    body = W().string(group).i32(1).string(topic).i32(PARTITIONS)
    for partition in range(PARTITIONS):
        body.i32(partition)

    def ask(connection):
        reader = connection.ask(kafka_wire.OFFSET_FETCH, 1, body.bytes)
        (topics,) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i64(), p.string(), p.i16()))))
        assert all(error == 0 for _, _, _, error in topics[1])
        return {partition: offset for partition, offset, _, _ in topics[1]}

    return broker.asked(ask, group=group)


def expect_committed(broker, group, topic, offset):
    """In every partition, when the members have made the commits that they owe: what they have seen they commit a moment later."""
    expected = {partition: offset for partition in range(PARTITIONS)}
    deadline = time.monotonic() + COMMIT_SECONDS_MAX
    while not broker.is_shaken and committed(broker, group, topic) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    broker.expect(lambda: committed(broker, group, topic), expected)


def three_that_become_two_and_three_again(kind, broker, topic, group, company, **options):
    first = fill(broker, topic, 0, 50)
    members = [kind(broker, group, topic, **options) for _ in range(3)]
    company += members
    settle(members, PARTITIONS)
    expect_seen(members, first)
    expect_committed(broker, group, topic, 50)

    # One leaves: the others go on where it was.
    gone = members.pop(0)
    gone.leave()
    settle(members, PARTITIONS)
    for member in members + [gone]:
        member.seen.clear()
    second = fill(broker, topic, 50, 50)
    expect_seen(members, second, older=first)
    assert not gone.seen

    # One comes: it gets its share, and nothing that was read before.
    members.append(kind(broker, group, topic, **options))
    company.append(members[-1])
    settle(members, PARTITIONS)
    for member in members:
        member.seen.clear()
    third = fill(broker, topic, 100, 50)
    expect_seen(members, third, older=first + second)
    assert all(member.seen for member in members)
    expect_committed(broker, group, topic, 150)

    # All leave; records come meanwhile; a new member resumes at the committed offsets.
    for member in members:
        member.leave()
    fourth = fill(broker, topic, 150, 50)
    last = kind(broker, group, topic, **options)
    company.append(last)
    settle([last], PARTITIONS)
    expect_seen([last], fourth, older=first + second + third)
    return members


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, id=kind.name, marks=[pytest.mark.brief] if kind is AioKafkaMember else []) for kind in MEMBERS],
)
def test_group_of_three_loses_and_gains_a_member(kind, broker, make_topic, name, company):
    topic = make_topic(partitions=PARTITIONS)
    three_that_become_two_and_three_again(kind, broker, topic, name("group"), company)


def test_cooperative_sticky_takes_away_only_what_it_must(broker, make_topic, name, company):
    topic = make_topic(partitions=PARTITIONS)
    members = three_that_become_two_and_three_again(
        ConfluentMember, broker, topic, name("group"), company, partition_assignment_strategy="cooperative-sticky"
    )
    # Those who stayed never had all their partitions taken while they were members.
    for member in members[:2]:
        assert member.revoked[0] != set(range(PARTITIONS))


@pytest.mark.parametrize("strategy", ["roundrobin", "range"])
def test_other_strategies(strategy, broker, make_topic, name, company):
    topic = make_topic(partitions=PARTITIONS)
    group = name("group")
    records = fill(broker, topic, 0, 20)
    members = [ConfluentMember(broker, group, topic, partition_assignment_strategy=strategy) for _ in range(2)]
    company += members
    settle(members, PARTITIONS)
    expect_seen(members, records)


@pytest.mark.brief
def test_clients_of_different_makes_share_a_group(broker, make_topic, name, company):
    topic = make_topic(partitions=PARTITIONS)
    group = name("group")
    members = [
        KafkaPythonMember(broker, group, topic, partition_assignment_strategy=[_range_assignor()]),
        ConfluentMember(broker, group, topic, partition_assignment_strategy="range"),
    ]
    company += members
    settle(members, PARTITIONS)
    records = fill(broker, topic, 0, 40)
    expect_seen(members, records)
    assert all(member.seen for member in members)


def _range_assignor():
    from kafka.coordinator.assignors.range import RangePartitionAssignor

    return RangePartitionAssignor


def test_a_member_that_dies_silently_is_replaced(broker_with_short_sessions, company):
    """No LeaveGroup: the session must run out, and then the other goes on where the dead one had committed."""
    broker = broker_with_short_sessions
    with Connection(broker) as connection:
        connection.create_topic("t", PARTITIONS)
    first = fill(broker, "t", 0, 20)
    body = (
        W().string("g").i32(1000).i32(5000).string("").string("consumer").i32(1).string("range").data(b"\0\0\0\0\0\0\0\0\0\0").bytes
    )
    dead = Connection(broker)
    reader = dead.ask(kafka_wire.JOIN_GROUP, 2, body)
    reader.i32()
    assert reader.i16() == 0
    started = time.monotonic()
    member = ConfluentMember(broker, "g", "t", partition_assignment_strategy="range")
    company.append(member)
    settle([member], PARTITIONS)
    assert 0.5 < time.monotonic() - started < 10
    assert wait_for([member], len(first)) == first
    dead.close()


@pytest.fixture
def broker_with_short_sessions(own_broker):
    return own_broker(group_min_session_timeout_ms=500)


@pytest.mark.parametrize("kind", [KafkaPythonMember, ConfluentMember], ids=lambda kind: kind.name)
def test_static_member_comes_back_without_a_rebalance(kind, broker, make_topic, name, company):
    topic = make_topic(partitions=PARTITIONS)
    group = name("group")
    # Nobody may be missed for the time in which a coordinator is missed.
    options = {"session_timeout_ms": 60_000} if broker.is_shaken else {}
    members = [kind(broker, group, topic, group_instance_id=f"instance-{number}", **options) for number in range(2)]
    company += members
    settle(members, PARTITIONS)
    records = fill(broker, topic, 0, 20)
    expect_seen(members, records)
    generation, assignment = describe(broker, group)
    assert [instance for instance, _ in assignment] == ["instance-0", "instance-1"]

    members[0].leave()
    assert describe(broker, group) == (generation, assignment), "a static member's place is kept while it is away"
    for member in members:
        member.seen.clear()
    more = fill(broker, topic, 20, 20)
    members[0] = kind(broker, group, topic, group_instance_id="instance-0", **options)
    company.append(members[0])
    settle(members, PARTITIONS)
    expect_seen(members, more, older=records)
    assert describe(broker, group) == (generation, assignment)


def describe(broker, group):
    """What DescribeGroups v4 says, in comparable form: state, and each static member's assignment."""

    def ask(connection):
        reader = connection.ask(kafka_wire.DESCRIBE_GROUPS, 4, W().i32(1).string(group).i8(0).bytes)
        reader.i32()
        assert reader.i32() == 1
        assert reader.i16() == 0
        assert reader.string() == group
        return reader

    reader = broker.asked(ask, group=group)
    state, _, protocol = reader.string(), reader.string(), reader.string()
    members = reader.array(lambda r: (r.string(), r.string(), r.string(), r.string(), r.data(), r.data()))
    return (state, protocol), sorted((instance, assignment) for _, instance, _, _, _, assignment in members)


def test_second_member_with_the_same_instance_fences_the_first(broker, make_topic, name, company):
    topic = make_topic(partitions=PARTITIONS)
    group = name("group")
    first = ConfluentMember(broker, group, topic, group_instance_id="same")
    company.append(first)
    settle([first], PARTITIONS)
    second = ConfluentMember(broker, group, topic, group_instance_id="same")
    company.append(second)
    settle([second], PARTITIONS)
    deadline = time.monotonic() + broker.seconds(15)
    while first.failure is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert isinstance(first.failure, confluent_kafka.KafkaException)
    error = first.failure.args[0]
    assert error.code() in (confluent_kafka.KafkaError._FATAL, confluent_kafka.KafkaError.FENCED_INSTANCE_ID), error
    assert "fenced" in error.str().lower() or "FENCED" in error.str()
    records = fill(broker, topic, 0, 10)
    expect_seen([second], records)


def without_errors(places):
    """confluent-kafka's answer for some partitions; the first one's error is raised."""
    for place in places:
        if place.error:
            raise confluent_kafka.KafkaException(place.error)
    return places


def test_commits_carry_metadata(broker, make_topic, name):
    topic = make_topic(partitions=2)
    group = name("group")
    place = kafka.TopicPartition(topic, 0)
    consumer = kafka.KafkaConsumer(bootstrap_servers=broker.address, group_id=group, enable_auto_commit=False)
    try:
        consumer.assign([place])
        assert consumer.committed(place) is None
        text = "заметка 🗒 " + "x" * 2000
        consumer.commit({place: kafka.OffsetAndMetadata(7, text, -1)})
        found = consumer.committed(place, metadata=True)
        assert (found.offset, found.metadata) == (7, text)
        with pytest.raises(kafka.errors.OffsetMetadataTooLargeError):
            consumer.commit({place: kafka.OffsetAndMetadata(8, "x" * 5000, -1)})
        assert consumer.committed(place) == 7
    finally:
        consumer.close()

    async def with_aiokafka():
        other = aiokafka_consumer(broker, group_id=group, enable_auto_commit=False)
        await other.start()
        try:
            place = aiokafka.TopicPartition(topic, 1)
            other.assign([place])
            await other.commit({place: aiokafka.structs.OffsetAndMetadata(3, "aio")})
            assert await other.committed(place) == 3
        finally:
            await stop_aiokafka(other)

    async_run(with_aiokafka(), broker.seconds(60))
    # confluent-kafka counts the NUL behind its metadata as part of it, and needs one there when it reads: it only writes.
    third = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": group})
    try:
        places = [confluent_kafka.TopicPartition(topic, number) for number in range(2)]
        found = broker.patiently(lambda: without_errors(third.committed(places, timeout=10)))
        assert [place.offset for place in found] == [7, 3]
        mine = [confluent_kafka.TopicPartition(topic, 1, 4, metadata="confluent")]
        broker.patiently(lambda: without_errors(third.commit(offsets=mine, asynchronous=False)))
    finally:
        third.close()
    admin = kafka.KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        found = broker.patiently(lambda: admin.list_group_offsets([group]))[group]
        assert {place.partition: (found[place].offset, found[place].metadata) for place in found} == {
            0: (7, text), 1: (4, "confluent\0"),
        }
    finally:
        admin.close()


def first_new(broker, consumer, older=()):
    """The next value; where brokers are killed the first one that is not of those read before."""
    deadline = time.monotonic() + broker.seconds(15)
    while time.monotonic() < deadline:
        message = consumer.poll(15)
        if not broker.is_shaken:
            return message and message.value()
        if message is not None and message.error():
            after_error(consumer, message.error())
        elif message is not None and message.value() not in older:
            return message.value()
    return None


@pytest.mark.brief
def test_automatic_commits(broker, make_topic, name):
    topic = make_topic()
    group = name("group")
    Confluent.write(broker, topic, 0, [Record(None, b"%d" % number) for number in range(30)])
    options = {"bootstrap.servers": broker.address, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = confluent_kafka.Consumer(options)
    consumer.subscribe([topic])
    seen = []
    deadline = time.monotonic() + broker.seconds(20)
    while len(set(seen)) < 30 and time.monotonic() < deadline:
        for message in consumer.consume(100, 0.5):
            if broker.is_shaken and message.error():
                after_error(consumer, message.error())
            else:
                seen.append(message.value())
    consumer.close()
    assert len(set(seen)) == 30
    assert len(seen) == 30 or broker.is_shaken
    Confluent.write(broker, topic, 0, [Record(None, b"new")])
    consumer = confluent_kafka.Consumer(options)
    consumer.subscribe([topic])
    try:
        assert first_new(broker, consumer, seen) == b"new"
    finally:
        consumer.close()


@pytest.mark.brief
def test_kcat_as_a_member(broker, make_topic, name):
    topic = make_topic(partitions=2)
    group = name("group")
    for partition in range(2):
        Confluent.write(broker, topic, partition, [Record(None, b"%d" % number) for number in range(10)])
    # -c lets it end after so many messages; it commits on its way out.
    arguments = ["-G", group, "-q", "-c", "20", "-X", "auto.offset.reset=earliest", "-f", "%p %o\n", topic]

    def read(*arguments):
        # Where brokers are killed kcat may never begin to read (see `after_error`), and is started again.
        return broker.patiently(lambda: Kcat.run(broker, *arguments, seconds=20))

    found = sorted(tuple(map(int, line.split())) for line in read(*arguments).splitlines())
    assert found == [(partition, offset) for partition in range(2) for offset in range(10)]
    Confluent.write(broker, topic, 1, [Record(None, b"later")])
    arguments = ["-G", group, "-q", "-c", "1", "-X", "auto.offset.reset=earliest", "-f", "%p %o %s\n", topic]
    # Where the coordinator was killed under its last commit kcat comes to the new record by way of old ones.
    broker.expect(lambda: read(*arguments), b"1 10 later\n")


def test_subscribing_by_pattern_sees_new_topics(broker, name):
    stem = name("pattern")
    broker.create_topic(f"{stem}-a")
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": broker.address, "group.id": name("group"), "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 300,
        }
    )
    consumer.subscribe([f"^{stem}-.*"])
    try:
        Confluent.write(broker, f"{stem}-a", 0, [Record(None, b"first")])
        assert first_new(broker, consumer) == b"first"
        broker.create_topic(f"{stem}-b")
        Confluent.write(broker, f"{stem}-b", 0, [Record(None, b"second")])
        assert first_new(broker, consumer, [b"first"]) == b"second"
    finally:
        consumer.close()


def test_new_partitions_reach_a_running_group(broker, make_topic, name, company):
    topic = make_topic(partitions=2)
    member = ConfluentMember(broker, name("group"), topic, topic_metadata_refresh_interval_ms=300)
    company.append(member)
    settle([member], 2)
    body = W().i32(1).string(topic).i32(PARTITIONS).i32(-1).i32(5000).i8(0).bytes

    def more(connection):
        reader = connection.ask(37, 1, body)
        reader.i32()
        (answer,) = reader.array(lambda r: (r.string(), r.i16(), r.string()))
        # An attempt whose answer was lost may have made them.
        assert answer == (topic, 0, None) or broker.is_shaken and connection.metadata([topic])[topic][2] == PARTITIONS

    broker.asked(more)
    settle([member], PARTITIONS)
    records = fill(broker, topic, 0, 5)
    expect_seen([member], records)


def test_initial_rebalance_waits_by_default(own_broker, company):
    """group.initial.rebalance.delay.ms as it is: three seconds for others to come, so that all start in one generation."""
    broker = own_broker(group_initial_rebalance_delay_ms=3000)
    with Connection(broker) as connection:
        connection.create_topic("t", PARTITIONS)
    started = time.monotonic()
    members = [ConfluentMember(broker, "g", "t") for _ in range(3)]
    company += members
    settle(members, PARTITIONS)
    assert 2.9 < time.monotonic() - started < 12
    assert [member.assignments_seen for member in members] == [1, 1, 1]


def test_group_ids_of_any_kind(broker, make_topic, wire):
    topic = make_topic(partitions=PARTITIONS)
    for group in ("with space", "группа", "a" * 300, "dots.and-dashes_", "%/\\"):
        body = W().string(group).i32(-1).string("").i64(-1).i32(1).string(topic).i32(1).i32(0).i64(5).string("m").bytes
        reader = wire.ask(kafka_wire.OFFSET_COMMIT, 2, body)
        (answer,) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i16()))))
        assert answer == (topic, [(0, 0)])
        assert committed(broker, group, topic)[0] == 5
    # An empty group id is no group to join.
    join = W().string("").i32(10000).i32(10000).string("").string("consumer").i32(1).string("range").data(b"").bytes
    reader = wire.ask(kafka_wire.JOIN_GROUP, 2, join)
    reader.i32()
    assert reader.i16() == 24


def test_errors_of_the_group_protocol(broker, make_topic, wire, name):
    topic = make_topic()
    group = name("group")
    unknown = W().string(group).i32(1).string("nobody").bytes
    reader = wire.ask(kafka_wire.HEARTBEAT, 1, unknown)
    reader.i32()
    assert reader.i16() == 25  # UNKNOWN_MEMBER_ID
    commit = W().string(group).i32(1).string("nobody").i64(-1).i32(1).string(topic).i32(1).i32(0).i64(5).string("").bytes
    reader = wire.ask(kafka_wire.OFFSET_COMMIT, 2, commit)
    (answer,) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i16()))))
    assert answer[1] in ([(0, 22)], [(0, 25)])  # ILLEGAL_GENERATION as Kafka 4, or UNKNOWN_MEMBER_ID
    # Session timeouts outside the limits.
    for timeout in (1, 10_000_000):
        join = W().string(group).i32(timeout).i32(10000).string("").string("consumer").i32(1).string("range").data(b"").bytes
        reader = wire.ask(kafka_wire.JOIN_GROUP, 2, join)
        reader.i32()
        assert reader.i16() == 26
    # From version 4 a new member is first told its id.
    join = W().string(group).i32(10000).i32(10000).string("").string("consumer").i32(1).string("range").data(b"").bytes
    reader = wire.ask(kafka_wire.JOIN_GROUP, 4, join)
    reader.i32()
    assert reader.i16() == 79
    # An unknown member cannot join under its own id.
    join = W().string(group).i32(10000).i32(10000).string("mine").string("consumer").i32(1).string("range").data(b"").bytes
    reader = wire.ask(kafka_wire.JOIN_GROUP, 4, join)
    reader.i32()
    assert reader.i16() == 25


def test_offsets_of_what_nobody_committed(broker, make_topic, wire, name):
    topic = make_topic(partitions=PARTITIONS)
    assert committed(broker, name("group"), topic) == {partition: -1 for partition in range(PARTITIONS)}
    body = W().string(name("group")).i32(-1).string("").i64(-1).i32(1).string("no-such-topic").i32(1).i32(0).i64(5).string("").bytes
    reader = wire.ask(kafka_wire.OFFSET_COMMIT, 2, body)
    (answer,) = reader.array(lambda r: (r.string(), r.array(lambda p: (p.i32(), p.i16()))))
    assert answer[1] == [(0, 3)]
