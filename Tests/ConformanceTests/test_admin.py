"""Administration: topics, partitions, configs, groups, records, the cluster; and the errors that Kafka gives."""

import asyncio
import concurrent.futures
import time
import uuid

import aiokafka.admin
import aiokafka.errors
import confluent_kafka
import kafka
import kafka.errors as errors
import pytest
from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType,
)
from kafka.admin import ConfigResource as PythonResource
from kafka.admin import ConfigResourceType as PythonResourceType

import wire as kafka_wire
from admins import PatientAdmin, wait_until_known
from clients import Confluent, Record, async_run
from members import ConfluentMember, settle, wait_for
from wire import Connection, W, batch


@pytest.fixture(scope="module")
def admin(broker):
    client = AdminClient({"bootstrap.servers": broker.address})
    return PatientAdmin(broker, client) if broker.is_shaken else client


@pytest.fixture(scope="module")
def python_admin(broker):
    def connect():
        return kafka.KafkaAdminClient(bootstrap_servers=broker.address)

    client = broker.patiently(connect)
    if broker.is_shaken:
        # A new one after each error: kafka-python 3.0.12 keeps what it knows of a group's coordinator for ever
        # (`_find_coordinator_ids` in admin/client.py), and asks a broker in vain that is none any more.
        client = PatientAdmin(broker, client, renew=connect)
    yield client
    client.close()


def result(futures):
    """The one result of an admin call."""
    (future,) = futures.values()
    return future.result(15)


def code(call, *arguments, **options):
    """The error code that an admin call of confluent-kafka ends with; 0 for none."""
    try:
        result(call(*arguments, **options))
    except KafkaException as error:
        return error.args[0].code()
    return 0


# Topics


@pytest.mark.brief
def test_create_describe_delete(admin, broker, name):
    topic = name("made")
    result(admin.create_topics([NewTopic(topic, 3, config={"retention.ms": "1234567"})]))
    found = admin.list_topics(topic, timeout=10).topics[topic]
    assert sorted(found.partitions) == [0, 1, 2]
    assert all(len(place.replicas) == broker.replicas for place in found.partitions.values())
    if not broker.is_shaken:
        assert all(place.leader == place.replicas[0] and place.isrs == place.replicas for place in found.partitions.values())
    described = result(admin.describe_topics(confluent_kafka.TopicCollection([topic])))
    assert len(described.partitions) == 3
    assert not described.is_internal
    Confluent.write(broker, topic, 0, [Record(None, b"x")])
    result(admin.delete_topics([topic]))
    assert topic not in admin.list_topics(timeout=10).topics


def test_topic_is_visible_in_the_next_request(wire, name):
    """kafkajs asks for metadata right after CreateTopics, and gives up when the topic is not there."""
    for _ in range(20):
        topic = name("visible")
        wire.create_topic(topic, 3)
        assert wire.metadata([topic])[topic][::2] == (0, 3)


def test_create_topics_with_kafka_python(broker, python_admin, name):
    topic = name("python")
    wanted = {"num_partitions": 4, "replication_factor": broker.replicas, "configs": {"cleanup.policy": "compact"}}
    made = python_admin.create_topics({topic: wanted})
    if made is None:
        pytest.skip("the answer was lost with the broker, and the topic made")
    (answer,) = made["topics"]
    assert answer["error_code"] == 0
    # CreateTopics from version 5 on tells what was made (KIP-525).
    assert (answer["num_partitions"], answer["replication_factor"]) == (4, broker.replicas)
    assert answer["configs"]["cleanup.policy"]["value"] == "compact"
    assert len(answer["configs"]) > 20
    (described,) = python_admin.describe_topics([topic])
    assert len(described["partitions"]) == 4
    by_id = python_admin.describe_topics([described["topic_id"] if isinstance(described["topic_id"], uuid.UUID) else uuid.UUID(described["topic_id"])])
    assert by_id[0]["name"] == topic
    python_admin.delete_topics([topic])
    assert topic not in python_admin.list_topics()


def test_create_topics_with_aiokafka(broker, name):
    async def run():
        topic = name("aio")
        client = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await client.start()
        try:
            made = await client.create_topics([aiokafka.admin.NewTopic(topic, 2, broker.replicas, topic_configs={"segment.ms": "7000000"})])
            no_error(made.topic_errors[0][1])
            await known()
            assert topic in await client.list_topics()
            found = await client.describe_configs(
                [aiokafka.admin.config_resource.ConfigResource(aiokafka.admin.config_resource.ConfigResourceType.TOPIC, topic)]
            )
            values = {entry[0]: entry[1] for entry in found[0].resources[0][4]}
            assert values["segment.ms"] == "7000000"
            more = await client.create_partitions({topic: aiokafka.admin.NewPartitions(5)})
            no_error(more.topic_errors[0][1])
            await known()
            (described,) = await client.describe_topics([topic])
            assert len(described["partitions"]) == 5
            cluster = await client.describe_cluster()
            assert len(cluster["brokers"]) in ((2, 3) if broker.is_shaken else (1,))
            gone = await client.delete_topics([topic])
            no_error(gone.topic_error_codes[0][1])
            await known()
            assert topic not in await client.list_topics()
        finally:
            await client.close()

    def no_error(code):
        if code:
            raise aiokafka.errors.for_code(code)()

    async def known():
        await asyncio.to_thread(wait_until_known, broker)

    # Where the answer is lost, once more with another topic.
    broker.patiently(lambda: async_run(run(), broker.seconds(60)))


def test_broker_defaults_for_partitions_and_replicas(own_broker):
    broker = own_broker(num_partitions=7)
    client = AdminClient({"bootstrap.servers": broker.address})
    result(client.create_topics([NewTopic("defaults")]))
    assert len(client.list_topics(timeout=10).topics["defaults"].partitions) == 7


@pytest.mark.parametrize(
    "topic, partitions, options, expected",
    [
        ("bad name!", 1, {}, KafkaError.TOPIC_EXCEPTION), ("", 1, {}, KafkaError.TOPIC_EXCEPTION),
        (".", 1, {}, KafkaError.TOPIC_EXCEPTION), ("..", 1, {}, KafkaError.TOPIC_EXCEPTION),
        ("a" * 250, 1, {}, KafkaError.TOPIC_EXCEPTION), ("ümlaut", 1, {}, KafkaError.TOPIC_EXCEPTION),
        ("zero", 0, {}, KafkaError.INVALID_PARTITIONS), ("negative", -5, {}, KafkaError.INVALID_PARTITIONS),
        ("too-many-replicas", 1, {"replication": 3}, KafkaError.INVALID_REPLICATION_FACTOR),
        ("no-replicas", 1, {"replication": 0}, KafkaError.INVALID_REPLICATION_FACTOR),
        ("unknown-config", 1, {"configs": {"no.such.config": "1"}}, KafkaError.INVALID_CONFIG),
        ("bad-value", 1, {"configs": {"retention.ms": "soon"}}, KafkaError.INVALID_CONFIG),
        ("bad-range", 1, {"configs": {"segment.bytes": "1"}}, KafkaError.INVALID_CONFIG),
        ("bad-policy", 1, {"configs": {"cleanup.policy": "burn"}}, KafkaError.INVALID_CONFIG),
        ("bad-ratio", 1, {"configs": {"min.cleanable.dirty.ratio": "1.5"}}, KafkaError.INVALID_CONFIG),
        ("bad-codec", 1, {"configs": {"compression.type": "brotli"}}, KafkaError.INVALID_CONFIG),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() and 0 < len(value) < 40 else None,
)
def test_topics_that_cannot_be(wire, topic, partitions, options, expected):
    assert create(wire, topic, partitions, **options) == expected
    assert topic not in wire.metadata(None)


def create(wire, topic, partitions, replication=1, configs=None, validate_only=False, assignments=()):
    body = W().i32(1).string(topic).i32(partitions).i16(replication).i32(len(assignments))
    for partition, replicas in assignments:
        body.i32(partition).i32(len(replicas))
        for replica in replicas:
            body.i32(replica)
    body.i32(len(configs or {}))
    for key, value in (configs or {}).items():
        body.string(key).string(value)
    reader = wire.ask(kafka_wire.CREATE_TOPICS, 4, body.i32(5000).i8(validate_only).bytes)
    reader.i32()
    (answer,) = reader.array(lambda r: (r.string(), r.i16(), r.string()))
    assert answer[1] == 0 or answer[2], "an error comes with a sentence"
    return answer[1]


def test_a_topic_that_is_there_already(wire, make_topic):
    topic = make_topic()
    assert create(wire, topic, 1) == KafkaError.TOPIC_ALREADY_EXISTS
    assert create(wire, topic, 1, validate_only=True) == KafkaError.TOPIC_ALREADY_EXISTS


def test_names_that_collide_in_metric_names(wire, name):
    topic = name("dotted.name")
    assert create(wire, topic, 1) == 0
    assert create(wire, topic.replace(".", "_"), 1) == KafkaError.TOPIC_EXCEPTION


def test_the_same_topic_twice_in_one_request(wire, name):
    topic = name("twice")
    body = W().i32(2)
    for _ in range(2):
        body.string(topic).i32(1).i16(1).i32(0).i32(0)
    reader = wire.ask(kafka_wire.CREATE_TOPICS, 4, body.i32(5000).i8(0).bytes)
    reader.i32()
    answers = reader.array(lambda r: (r.string(), r.i16(), r.string()))
    assert {answer[1] for answer in answers} == {42}
    assert wire.metadata([topic])[topic][0] == 3


def test_validating_makes_nothing(wire, name):
    topic = name("validated")
    assert create(wire, topic, 1, validate_only=True) == 0
    assert wire.metadata([topic])[topic][0] == 3


def test_assignments_by_hand(wire, name):
    node = broker_id(wire)
    topic = name("assigned")
    assert create(wire, topic, -1, -1, assignments=[(0, [node]), (1, [node])]) == 0
    assert wire.metadata([topic])[topic][2] == 2
    assert create(wire, name("assigned"), -1, -1, assignments=[(0, [node + 77])]) in (KafkaError.INVALID_REPLICA_ASSIGNMENT, KafkaError.BROKER_NOT_AVAILABLE)
    assert create(wire, name("assigned"), -1, -1, assignments=[(1, [node])]) == KafkaError.INVALID_REPLICA_ASSIGNMENT
    assert create(wire, name("assigned"), 3, 1, assignments=[(0, [node])]) == KafkaError.INVALID_REQUEST


def broker_id(wire):
    reader = wire.ask(kafka_wire.METADATA, 1, W().i32(0).bytes)
    return reader.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))[0][0]


def test_deleting_what_is_not_there(admin, wire, name):
    assert code(admin.delete_topics, [name("nothing")]) == KafkaError.UNKNOWN_TOPIC_OR_PART
    for version in (1, 2, 3):
        reader = wire.ask(kafka_wire.DELETE_TOPICS, version, W().i32(1).string("nothing").i32(5000).bytes)
        reader.i32()
        assert reader.array(lambda r: (r.string(), r.i16())) == [("nothing", 3)]


@pytest.mark.parametrize("version", range(1, 7))
def test_delete_topics_in_every_version(wire, make_topic, version):
    topic = make_topic()
    assert wire.delete_topic(topic, version) == (topic, 0)
    assert wire.metadata([topic])[topic][0] == 3


def test_deleting_by_id(python_admin, wire, make_topic):
    topic = make_topic()
    id = wire.metadata([topic])[topic][1]
    python_admin.delete_topics([id])
    assert wire.metadata([topic])[topic][0] == 3
    with pytest.raises(errors.for_code(100)):
        python_admin.delete_topics([uuid.uuid4()])


def test_deleting_when_it_is_forbidden(own_broker):
    broker = own_broker(delete_topic_enable="false")
    client = AdminClient({"bootstrap.servers": broker.address})
    result(client.create_topics([NewTopic("kept", 1)]))
    assert code(client.delete_topics, ["kept"]) == KafkaError.TOPIC_DELETION_DISABLED
    assert "kept" in client.list_topics(timeout=10).topics


def test_more_partitions(admin, broker, make_topic):
    topic = make_topic(partitions=2)
    Confluent.write(broker, topic, 1, [Record(None, b"before")])
    result(admin.create_partitions([NewPartitions(topic, 5)]))
    assert len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == 5
    Confluent.write(broker, topic, 4, [Record(None, b"after")])
    found = Confluent.read(broker, topic, {1: 1, 4: 1})
    assert [found[1][0].value, found[4][0].value] == [b"before", b"after"]


def test_partitions_that_cannot_be(admin, make_topic, name):
    topic = make_topic(partitions=3)
    assert code(admin.create_partitions, [NewPartitions(topic, 2)]) == KafkaError.INVALID_PARTITIONS
    assert code(admin.create_partitions, [NewPartitions(topic, 3)]) == KafkaError.INVALID_PARTITIONS
    assert code(admin.create_partitions, [NewPartitions(name("none"), 3)]) == KafkaError.UNKNOWN_TOPIC_OR_PART
    result(admin.create_partitions([NewPartitions(topic, 9)], validate_only=True))
    assert len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == 3


# Configs


def topic_configs(admin, topic):
    return result(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))


TOPIC_CONFIGS = """cleanup.policy compression.gzip.level compression.lz4.level compression.type compression.zstd.level
delete.retention.ms durability file.delete.delay.ms flush.messages flush.ms follower.replication.throttled.replicas
index.interval.bytes leader.replication.throttled.replicas local.retention.bytes local.retention.ms
max.compaction.lag.ms max.message.bytes message.timestamp.after.max.ms message.timestamp.before.max.ms
message.timestamp.type min.cleanable.dirty.ratio min.compaction.lag.ms min.insync.replicas preallocate
remote.log.copy.disable remote.log.delete.on.disable remote.storage.enable retention.bytes retention.ms segment.bytes
segment.index.bytes segment.jitter.ms segment.ms unclean.leader.election.enable""".split()

DEFAULTS = {
    "cleanup.policy": "delete", "compression.type": "producer", "delete.retention.ms": "86400000",
    "file.delete.delay.ms": "60000", "flush.messages": "9223372036854775807", "index.interval.bytes": "4096",
    "max.message.bytes": "1048588", "message.timestamp.type": "CreateTime", "min.cleanable.dirty.ratio": "0.5",
    "min.insync.replicas": "1", "retention.bytes": "-1", "retention.ms": "604800000", "segment.bytes": "1073741824",
    "segment.ms": "604800000", "unclean.leader.election.enable": "false", "message.timestamp.after.max.ms": "3600000",
}


def test_describe_configs_tells_everything(broker, admin, make_topic):
    topic = make_topic(configs={"retention.ms": "5000"})
    found = topic_configs(admin, topic)
    assert sorted(found) == TOPIC_CONFIGS
    of_the_broker = {"min.insync.replicas": str(broker.min_insync_replicas)}
    assert {name: found[name].value for name in DEFAULTS} == {**DEFAULTS, **of_the_broker, "retention.ms": "5000"}
    assert not found["retention.ms"].is_default
    assert found["retention.ms"].source == 1  # DYNAMIC_TOPIC_CONFIG
    assert found["segment.ms"].is_default
    assert found["segment.ms"].source == 5  # DEFAULT_CONFIG
    assert not any(entry.is_read_only or entry.is_sensitive for entry in found.values())


def test_describe_configs_of_some_names_with_documentation_and_types(wire, make_topic):
    topic = make_topic(configs={"retention.ms": "5000"})
    body = W().i32(1).i8(2).string(topic).i32(2).string("retention.ms").string("cleanup.policy").i8(1).i8(1).bytes
    reader = wire.ask(kafka_wire.DESCRIBE_CONFIGS, 3, body)
    reader.i32()
    assert reader.i32() == 1
    assert (reader.i16(), reader.string(), reader.i8(), reader.string())[0] == 0
    entries = reader.array(
        lambda r: (
            r.string(), r.string(), r.i8(), r.i8(), r.i8(), r.array(lambda s: (s.string(), s.string(), s.i8())), r.i8(),
            r.string(),
        )
    )
    found = {entry[0]: entry for entry in entries}
    assert sorted(found) == ["cleanup.policy", "retention.ms"]
    assert found["retention.ms"][6] == 5  # LONG
    assert found["cleanup.policy"][6] == 7  # LIST
    assert all(len(entry[7]) > 20 for entry in entries)
    synonyms = [(synonym, source) for synonym, _, source in found["retention.ms"][5]]
    assert synonyms[0] == ("retention.ms", 1)
    assert ("log.retention.hours", 5) in synonyms


def test_broker_configs_change_what_topics_get(own_broker):
    broker = own_broker(log_retention_hours=5)
    client = AdminClient({"bootstrap.servers": broker.address})
    result(client.create_topics([NewTopic("t", 1)]))
    found = topic_configs(client, "t")
    assert found["retention.ms"].value == str(5 * 3600 * 1000)
    assert found["retention.ms"].source == 4  # STATIC_BROKER_CONFIG


def test_broker_configs(admin, wire):
    node = broker_id(wire)
    found = result(admin.describe_configs([ConfigResource(ResourceType.BROKER, str(node))]))
    assert found["num.partitions"].value == "1"
    assert found["group.initial.rebalance.delay.ms"].value == "0"
    assert found["group.initial.rebalance.delay.ms"].source == 4
    for needed in ("broker.rack", "log.retention.hours", "message.max.bytes", "auto.create.topics.enable", "node.id"):
        assert needed in found
    assert len(found) > 100
    # Another broker's configs are for that broker to tell.
    for other in (str(node + 50), "none"):
        reader = wire.ask(kafka_wire.DESCRIBE_CONFIGS, 1, W().i32(1).i8(4).string(other).i32(-1).i8(0).bytes)
        reader.i32()
        assert reader.i32() == 1
        assert reader.i16() == 42


def test_describe_configs_of_nothing(admin, name):
    assert code(admin.describe_configs, [ConfigResource(ResourceType.TOPIC, name("none"))]) == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert code(admin.describe_configs, [ConfigResource(ResourceType.TOPIC, "bad name!")]) == KafkaError.TOPIC_EXCEPTION


def incremental(admin, topic, *changes, **options):
    entries = [ConfigEntry(key, value, incremental_operation=operation) for key, operation, value in changes]
    return code(
        admin.incremental_alter_configs, [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)], **options
    )


SET, DELETE, APPEND, SUBTRACT = (
    AlterConfigOpType.SET, AlterConfigOpType.DELETE, AlterConfigOpType.APPEND, AlterConfigOpType.SUBTRACT,
)


def changed(admin, topic):
    dynamic_topic_config = 1
    return {key: entry.value for key, entry in topic_configs(admin, topic).items() if entry.source == dynamic_topic_config}


def test_incremental_changes(admin, make_topic):
    topic = make_topic()
    assert incremental(admin, topic, ("retention.ms", SET, "1000"), ("segment.ms", SET, "2000")) == 0
    assert changed(admin, topic) == {"retention.ms": "1000", "segment.ms": "2000"}
    assert incremental(admin, topic, ("cleanup.policy", APPEND, "compact")) == 0
    assert changed(admin, topic)["cleanup.policy"] == "delete,compact"
    assert incremental(admin, topic, ("cleanup.policy", SUBTRACT, "delete")) == 0
    assert changed(admin, topic)["cleanup.policy"] == "compact"
    assert incremental(admin, topic, ("cleanup.policy", DELETE, None), ("retention.ms", DELETE, None)) == 0
    assert changed(admin, topic) == {"segment.ms": "2000"}


def test_incremental_changes_that_cannot_be(admin, make_topic, name):
    topic = make_topic(configs={"segment.ms": "2000"})
    assert incremental(admin, topic, ("retention.ms", SET, "soon")) == KafkaError.INVALID_CONFIG
    assert incremental(admin, topic, ("cleanup.policy", SET, "burn")) == KafkaError.INVALID_CONFIG
    assert incremental(admin, topic, ("cleanup.policy", APPEND, "burn")) == KafkaError.INVALID_CONFIG
    assert incremental(admin, topic, ("no.such.config", SET, "1")) == KafkaError.INVALID_CONFIG
    assert incremental(admin, topic, ("retention.ms", APPEND, "1")) == KafkaError.INVALID_CONFIG
    # All or nothing.
    assert incremental(admin, topic, ("retention.ms", SET, "1000"), ("segment.bytes", SET, "x")) == KafkaError.INVALID_CONFIG
    assert incremental(admin, name("none"), ("retention.ms", SET, "1")) == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert incremental(admin, topic, ("retention.ms", SET, "1000"), validate_only=True) == 0
    assert changed(admin, topic) == {"segment.ms": "2000"}


def test_the_old_way_of_altering_replaces_everything(broker, admin, make_topic):
    topic = make_topic(configs={"segment.ms": "2000", "retention.ms": "1000"})
    body = W().i32(1).i8(2).string(topic).i32(1).string("max.message.bytes").string("5000").i8(0).bytes

    def alter(connection):
        reader = connection.ask(33, 1, body)
        reader.i32()
        assert reader.array(lambda r: (r.i16(), r.string(), r.i8(), r.string())) == [(0, None, 2, topic)]

    broker.asked(alter)
    wait_until_known(broker)
    assert changed(admin, topic) == {"max.message.bytes": "5000"}


def test_altering_with_kafka_python(python_admin, make_topic):
    topic = make_topic()
    resource = PythonResource(PythonResourceType.TOPIC, topic, {"retention.ms": "777"})
    assert python_admin.alter_configs([resource])["topic"][topic] == "OK"
    found = python_admin.describe_configs([PythonResource(PythonResourceType.TOPIC, topic)])
    assert found["topic"][topic]["retention.ms"]["value"] == "777"
    python_admin.reset_configs([PythonResource(PythonResourceType.TOPIC, topic, ["retention.ms"])])
    found = python_admin.describe_configs([PythonResource(PythonResourceType.TOPIC, topic)], config_filter="all")
    assert found["topic"][topic]["retention.ms"]["value"] == "604800000"


def test_a_changed_config_takes_effect_at_once(admin, wire, make_topic):
    topic = make_topic()
    large = batch([bytes(20_000)])
    assert wire.produce(topic, large)[0] == 0
    assert incremental(admin, topic, ("max.message.bytes", SET, "10000")) == 0
    assert wire.produce(topic, large)[0] == 10
    assert incremental(admin, topic, ("max.message.bytes", DELETE, None)) == 0
    assert wire.produce(topic, large)[0] == 0
    assert incremental(admin, topic, ("message.timestamp.type", SET, "LogAppendTime")) == 0
    assert wire.produce(topic, batch([b"x"]))[2] > 0


def test_compression_that_the_topic_asks_for(wire, broker, make_topic):
    for number, codec in enumerate(["uncompressed", "gzip", "snappy", "lz4", "zstd"]):
        topic = make_topic(configs={"compression.type": codec})
        values = [b"value %d" % n * 30 for n in range(50)]
        assert wire.produce(topic, batch(values))[0] == 0
        assert next(kafka_wire.batches(wire.fetch_one(topic).records))[2] & 7 == number
        assert [r.value for r in Confluent.read(broker, topic, {0: 50})[0]] == values


def test_a_compacted_topic_takes_no_record_without_a_key(wire, broker, make_topic):
    topic = make_topic(configs={"cleanup.policy": "compact"})
    assert wire.produce(topic, batch([b"x"]))[0] == 87
    assert wire.produce(topic, batch([b"x"], key=b"k"))[0] == 0
    # KIP-467: which record, and why.
    body = Connection.produce_body(topic, batch([], payload=kafka_wire.record(0, b"a", b"k") + kafka_wire.record(1, b"b"), count=2))
    reader = wire.ask(kafka_wire.PRODUCE, 8, body)
    assert reader.i32() == 1
    reader.string()
    assert reader.i32() == 1
    assert (reader.i32(), reader.i16()) == (0, 87)
    reader.raw(24)
    record_errors = reader.array(lambda r: (r.i32(), r.string()))
    assert [index for index, _ in record_errors] == [1]
    assert reader.string()


def test_timestamps_outside_the_limits(wire, make_topic):
    topic = make_topic(configs={"message.timestamp.before.max.ms": "1000"})
    assert wire.produce(topic, batch([b"old"], timestamp=1_000_000))[0] == 32
    topic = make_topic()
    assert wire.produce(topic, batch([b"future"], timestamp=99_999_999_999_999))[0] == 32
    assert wire.produce(topic, batch([b"old"], timestamp=1_000_000))[0] == 0


# Records


def test_delete_records(admin, python_admin, broker, make_topic):
    topic = make_topic(partitions=2)
    Confluent.write(broker, topic, 0, [Record(None, b"%d" % n) for n in range(10)])
    gone = result(admin.delete_records([confluent_kafka.TopicPartition(topic, 0, 4)]))
    assert gone.low_watermark == 4
    assert [r.offset for r in Confluent.read(broker, topic, {0: 6})[0]] == list(range(4, 10))
    # To the high watermark.
    place = kafka.TopicPartition(topic, 0)
    assert python_admin.delete_records({place: -1})[place]["low_watermark"] == 10
    with pytest.raises(errors.OffsetOutOfRangeError):
        python_admin.delete_records({place: 11})
    assert code(admin.delete_records, [confluent_kafka.TopicPartition(topic, 9, 0)]) != 0
    # Backwards is no error, and changes nothing.
    assert python_admin.delete_records({place: 2})[place]["low_watermark"] == 10


def test_delete_records_of_a_compacted_topic(admin, broker, make_topic):
    topic = make_topic(configs={"cleanup.policy": "compact"})
    Confluent.write(broker, topic, 0, [Record(b"k", b"v")])
    assert code(admin.delete_records, [confluent_kafka.TopicPartition(topic, 0, 1)]) == KafkaError.POLICY_VIOLATION


def test_list_offsets(admin, python_admin, broker, make_topic):
    topic = make_topic()
    start = 1_700_000_000_000
    Confluent.write(broker, topic, 0, [Record(None, b"x", [], start + n) for n in (0, 50, 20, 10)])
    place = confluent_kafka.TopicPartition(topic, 0)
    for spec, expected in [
        (OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 4), (OffsetSpec.max_timestamp(), 1),
        (OffsetSpec.for_timestamp(start + 11), 1), (OffsetSpec.for_timestamp(start), 0), (OffsetSpec.for_timestamp(start + 51), -1),
    ]:
        assert result(admin.list_offsets({place: spec})).offset == expected
    other = kafka.TopicPartition(topic, 0)
    for spec, expected in [(-1, 4), (-2, 0), (-3, 1), (-4, 0), (-5, -1), (start + 15, 1)]:
        assert python_admin.list_partition_offsets({other: spec})[other].offset == expected
    assert python_admin.list_partition_offsets({other: -3})[other].timestamp == start + 50


# Groups


@pytest.mark.brief
def test_groups_are_listed_described_and_deleted(admin, python_admin, broker, make_topic, name):
    topic = make_topic(partitions=2)
    group = name("described")
    member = ConfluentMember(broker, group, topic, client_id="named-client", partition_assignment_strategy="range")
    try:
        settle([member], 2)
        Confluent.write(broker, topic, 0, [Record(None, b"x")])
        wait_for([member], 1)

        def is_listed(**options):
            return group in {found.group_id for found in admin.list_consumer_groups(**options).result(15).valid}

        # Who lists groups asks every broker: while a dead coordinator's session lasts nobody has its groups.
        broker.expect(is_listed, True)
        broker.expect(lambda: is_listed(states={ConsumerGroupState.STABLE}), True)
        empty = admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result(15)
        assert group not in {found.group_id for found in empty.valid}
        described = result(admin.describe_consumer_groups([group]))
        assert described.state == ConsumerGroupState.STABLE
        assert described.partition_assignor == "range"
        assert described.coordinator.port in broker.ports
        (only,) = described.members
        assert only.client_id == "named-client"
        assert "127.0.0.1" in only.host
        assert sorted(place.partition for place in only.assignment.topic_partitions) == [0, 1]
        assert code(admin.delete_consumer_groups, [group]) == KafkaError.NON_EMPTY_GROUP
        found = python_admin.describe_groups([group])[group]
        assert (found["group_state"], len(found["members"])) == ("Stable", 1)
    finally:
        member.leave()
    # Where its leaving was lost with the coordinator, when its session is over.
    broker.expect(lambda: python_admin.describe_groups([group])[group]["group_state"], "Empty")
    result(admin.delete_consumer_groups([group]))
    assert group not in {found["group_id"] for found in python_admin.list_groups()}
    assert code(admin.delete_consumer_groups, [group]) == KafkaError.GROUP_ID_NOT_FOUND


def test_a_group_that_is_not_there(wire, python_admin, name):
    reader = wire.ask(kafka_wire.DESCRIBE_GROUPS, 0, W().i32(1).string(name("none")).bytes)
    assert reader.i32() == 1
    assert reader.i16() == 0
    reader.string()
    assert reader.string() == "Dead"


def test_group_offsets_are_altered_and_deleted(admin, python_admin, broker, make_topic, name):
    topic = make_topic(partitions=3)
    group = name("offsets")
    places = [kafka.TopicPartition(topic, partition) for partition in range(3)]
    altered = python_admin.alter_group_offsets(group, {place: kafka.OffsetAndMetadata(5, "m", -1) for place in places})
    assert altered == {place: errors.NoError for place in places}
    if broker.is_shaken:
        # Not with confluent-kafka: 2.16.1 dies of SIGSEGV where the coordinator is killed under this call.
        found = python_admin.list_group_offsets([group])[group]
        assert {place: found[place].offset for place in found} == {place: 5 for place in places}
    else:
        asked = confluent_kafka.ConsumerGroupTopicPartitions(group)
        found = result(admin.list_consumer_group_offsets([asked]))
        assert sorted((place.partition, place.offset) for place in found.topic_partitions) == [(0, 5), (1, 5), (2, 5)]
    assert python_admin.delete_group_offsets(group, [places[1]])[places[1]] is errors.NoError
    assert sorted(place.partition for place in python_admin.list_group_offsets([group])[group]) == [0, 2]
    with pytest.raises(errors.GroupIdNotFoundError):
        python_admin.delete_group_offsets(name("none"), [places[0]])
    member = ConfluentMember(broker, group, topic)
    try:
        settle([member], 3)
        assert python_admin.delete_group_offsets(group, [places[0]])[places[0]].errno == 86  # GROUP_SUBSCRIBED_TO_TOPIC
    finally:
        member.leave()


def test_offsets_go_with_their_topic(python_admin, broker, make_topic, name):
    topic, other = make_topic(), make_topic()
    group = name("group")
    for each in (topic, other):
        place = kafka.TopicPartition(each, 0)
        altered = python_admin.alter_group_offsets(group, {place: kafka.OffsetAndMetadata(5, "", -1)})
        assert altered == {place: errors.NoError}
    python_admin.delete_topics([topic])
    assert {place.topic for place in python_admin.list_group_offsets([group])[group]} == {other}


# The cluster


def test_describe_cluster(admin, python_admin, broker):
    found = admin.describe_cluster().result(15)
    assert len(found.cluster_id) == 22
    places = {(node.host, node.port) for node in found.nodes}
    assert places == {("127.0.0.1", port) for port in broker.ports} or broker.is_shaken and len(places) == 2
    assert found.controller.id in {node.id for node in found.nodes}
    again = python_admin.describe_cluster()
    assert again["cluster_id"] == found.cluster_id
    assert again["controller_id"] == found.controller.id or broker.is_shaken


@pytest.mark.one_node("looks for the topic in the folder of the one broker")
def test_log_dirs(python_admin, broker, make_topic):
    topic = make_topic(partitions=2)
    Confluent.write(broker, topic, 0, [Record(None, bytes(100_000))])
    (answer,) = python_admin.describe_log_dirs({topic: [0, 1]})
    (directory,) = answer["log_dirs"]
    assert directory["error_code"] == 0
    assert str(directory["log_dir"]) == str(broker.data)
    (found,) = directory["topics"]
    sizes = {entry["partition_index"]: entry["partition_size"] for entry in found["partitions"]}
    assert sizes[0] > 100_000
    assert sizes[1] == 0
    assert directory["total_bytes"] > directory["usable_bytes"] > 0
    (answer,) = python_admin.describe_log_dirs()
    assert topic in {entry["name"] for entry in answer["log_dirs"][0]["topics"]}


def test_topic_pages(python_admin, make_topic):
    topic = make_topic(partitions=7)
    found = python_admin.describe_topic_partitions([topic])
    text = str(found)
    assert text.count("partition_index") >= 7


def test_internal_topics_are_marked(python_admin, broker, make_topic, name):
    topic = make_topic()
    place = kafka.TopicPartition(topic, 0)
    assert python_admin.alter_group_offsets(name("g"), {place: kafka.OffsetAndMetadata(1, "", -1)}) == {place: errors.NoError}
    marks = {found["name"]: found["is_internal"] for found in python_admin.describe_topics()}
    assert marks["__consumer_offsets"] is True
    assert marks[topic] is False


def test_auto_creation_when_it_is_off(own_broker):
    broker = own_broker(auto_create_topics_enable="false")
    with Connection(broker) as connection:
        assert connection.metadata(["none"])["none"][0] == 3
        reader = connection.ask(kafka_wire.METADATA, 1, W().i32(1).string("none").bytes)
        reader.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))
        reader.i32()
        assert reader.i32() == 1
        assert reader.i16() == 3
        assert "none" not in connection.metadata(None)
    with pytest.raises(KafkaException):
        Confluent.write(broker, "none", 0, [Record(None, b"x")], message_timeout_ms=2000)
    assert list(broker.data.glob("none-*")) == []


# Many at once


def at_once(count, work):
    """Runs `work(number)` on so many threads and returns what they returned."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_many_make_the_same_topic(broker, name, wire):
    topic = name("race")

    def work(number):
        with Connection(broker) as connection:
            return create(connection, topic, 3)

    codes = at_once(16, work)
    assert sorted(codes) == [0] + [KafkaError.TOPIC_ALREADY_EXISTS] * 15
    assert wire.metadata([topic])[topic][::2] == (0, 3)


def test_many_auto_create_the_same_topic(broker, name, wire):
    topic = name("race")

    def work(number):
        with Connection(broker) as connection:
            for _ in range(50):
                reader = connection.ask(kafka_wire.METADATA, 1, W().i32(1).string(topic).bytes)
                reader.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))
                reader.i32()
                assert reader.i32() == 1
                error = reader.i16()
                if error == 0:
                    return connection.produce(topic, batch([b"%d" % number]))[0]
                assert error in (3, 5)
            return -1

    assert at_once(16, work) == [0] * 16
    assert sorted(value for _, value in wire.fetch_one(topic).values()) == sorted(b"%d" % number for number in range(16))


def test_producing_to_a_topic_that_is_deleted_and_made_again(broker, name, wire):
    """Whoever writes meanwhile gets an error or an offset that is true; the new topic begins at 0 and holds nothing old."""
    topic = name("again")
    wire.create_topic(topic)
    stop = []

    def produce(number):
        answers = []
        with Connection(broker) as connection:
            while not stop:
                answers.append(connection.produce(topic, batch([b"x"]))[0])
        return set(answers)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(produce, number) for number in range(4)]
        for _ in range(10):
            assert wire.ask(kafka_wire.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(5000).bytes).rest[-2:] == b"\0\0"
            assert create(wire, topic, 1) == 0
        stop.append(True)
        for future in busy:
            assert future.result(20) <= {0, 3, 6, 56}
    assert wire.ask(kafka_wire.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(5000).bytes).rest[-2:] == b"\0\0"
    assert create(wire, topic, 1) == 0
    assert wire.list_offset(topic, -1)[2] == 0
    assert wire.produce(topic, batch([b"first"]))[:2] == (0, 0)
    assert wire.fetch_one(topic).values() == [(0, b"first")]


def test_a_consumer_goes_on_when_its_topic_is_made_again(broker, name, wire):
    topic = name("again")
    wire.create_topic(topic)
    for number in range(5):
        assert wire.produce(topic, batch([b"old"]))[0] == 0
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": broker.address, "group.id": name("group"), "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 300, "enable.auto.commit": False,
        }
    )
    try:
        consumer.subscribe([topic])
        assert [consumer.poll(15).value() for _ in range(5)] == [b"old"] * 5
        wire.ask(kafka_wire.DELETE_TOPICS, 1, W().i32(1).string(topic).i32(5000).bytes)
        wire.create_topic(topic)
        assert wire.produce(topic, batch([b"new"]))[:2] == (0, 0)
        deadline = time.monotonic() + 15
        seen = []
        while b"new" not in seen and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                seen.append(message.value())
        assert seen == [b"new"]
    finally:
        consumer.close()


def test_broker_configs_change_while_it_runs(own_broker):
    """A dynamic broker default (KIP-226): topics that have no config of their own follow it, also after a restart."""
    broker = own_broker()
    client = AdminClient({"bootstrap.servers": broker.address})
    result(client.create_topics([NewTopic("follows", 1)]))
    result(client.create_topics([NewTopic("own", 1, config={"max.message.bytes": "100000"})]))

    def set_default(key, value):
        body = W().i32(1).i8(4).string("").i32(1).string(key).i8(0).string(value).i8(0).bytes
        with Connection(broker) as connection:
            reader = connection.ask(44, 0, body)
        reader.i32()
        (answer,) = reader.array(lambda r: (r.i16(), r.string(), r.i8(), r.string()))
        return answer[0]

    assert set_default("message.max.bytes", "2000") == 0
    for restarted in (False, True):
        if restarted:
            broker.restart()
            client = AdminClient({"bootstrap.servers": broker.address})
        assert topic_configs(client, "follows")["max.message.bytes"].value == "2000"
        assert topic_configs(client, "own")["max.message.bytes"].value == "100000"
        with Connection(broker) as connection:
            assert connection.produce("follows", batch([bytes(5000)]))[0] == 10
            assert connection.produce("own", batch([bytes(5000)]))[0] == 0
    assert set_default("message.max.bytes", "many") == KafkaError.INVALID_CONFIG
    # What is read only at the start cannot be changed while it runs.
    assert set_default("log.dirs", "/elsewhere") in (KafkaError.INVALID_CONFIG, KafkaError.INVALID_REQUEST)
    assert topic_configs(client, "follows")["max.message.bytes"].value == "2000"
