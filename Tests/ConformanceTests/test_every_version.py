"""Every version of every API that the broker advertises, encoded and taken apart by kafka-python's copy of Kafka's schemas."""

import importlib
import pkgutil
import struct

import kafka.protocol
import pytest

import wire as kafka_wire
from wire import Connection, W, batch

pytestmark = pytest.mark.one_node("sends every request by hand to the one broker there is")


def message_classes():
    """{API key: (request class, response class)}."""
    found = {}
    for place in pkgutil.walk_packages(kafka.protocol.__path__, "kafka.protocol."):
        if ".old" in place.name or "generate" in place.name or "schemas" in place.name:
            continue
        for value in vars(importlib.import_module(place.name)).values():
            if isinstance(value, type) and getattr(value, "API_KEY", None) is not None and hasattr(value, "decode"):
                if value.name and value.name.endswith(("Request", "Response")):
                    found.setdefault(value.API_KEY, {})[value.name.endswith("Response")] = value
    return {key: (pair[False], pair[True]) for key, pair in found.items() if len(pair) == 2}


CLASSES = message_classes()


def request(cls, topic, topic_id, group):
    """A request that asks for something real where that is easy, and for nothing otherwise."""
    key = cls.API_KEY
    if key == kafka_wire.METADATA:
        return cls(topics=None)
    if key == kafka_wire.PRODUCE:
        Topic = cls.TopicProduceData
        partition = Topic.PartitionProduceData(index=0, records=batch([b"x", b"y"]))
        return cls(transactional_id=None, acks=-1, timeout_ms=1000, topic_data=[Topic(name=topic, partition_data=[partition])])
    if key == kafka_wire.FETCH:
        Topic = cls.FetchTopic
        partition = Topic.FetchPartition(
            partition=0, current_leader_epoch=-1, fetch_offset=0, last_fetched_epoch=-1, log_start_offset=-1,
            partition_max_bytes=100_000,
        )
        return cls(
            max_wait_ms=100, min_bytes=1, max_bytes=100_000, session_id=0, session_epoch=0,
            topics=[Topic(topic=topic, topic_id=topic_id, partitions=[partition])],
        )
    if key == kafka_wire.LIST_OFFSETS:
        Topic = cls.ListOffsetsTopic
        Partition = Topic.ListOffsetsPartition
        return cls(
            replica_id=-1, isolation_level=0,
            topics=[Topic(name=topic, partitions=[Partition(partition_index=0, current_leader_epoch=-1, timestamp=-1)])],
        )
    if key == kafka_wire.FIND_COORDINATOR:
        return cls(key=group, key_type=0, coordinator_keys=[group])
    if key == kafka_wire.OFFSET_FETCH:
        Group = cls.OffsetFetchRequestGroup
        return cls(
            group_id=group, topics=[cls.OffsetFetchRequestTopic(name=topic, partition_indexes=[0])], require_stable=True,
            groups=[
                Group(
                    group_id=group, member_id=None, member_epoch=-1,
                    topics=[Group.OffsetFetchRequestTopics(name=topic, partition_indexes=[0])],
                )
            ],
        )
    if key == kafka_wire.DESCRIBE_GROUPS:
        return cls(groups=[group])
    if key == kafka_wire.DESCRIBE_CONFIGS:
        Resource = cls.DescribeConfigsResource
        return cls(
            resources=[Resource(resource_type=2, resource_name=topic, configuration_keys=None)], include_synonyms=True,
            include_documentation=True,
        )
    if key == kafka_wire.API_VERSIONS:
        return cls(client_software_name="conformance", client_software_version="1.0")
    if key == 35:
        return cls(topics=None)
    return cls()


def ask(connection, cls, version, body):
    flexible = cls.flexible_version_q(version)
    return connection.ask(cls.API_KEY, version, body, flexible=flexible)


def advertised():
    return sorted(CLASSES)


@pytest.mark.parametrize("key", advertised(), ids=lambda key: CLASSES[key][0].name.removesuffix("Request"))
def test_every_version_is_answered_in_its_own_form(key, broker, make_topic, name):
    request_class, response_class = CLASSES[key]
    topic, group = make_topic(), name("group")
    with Connection(broker) as connection:
        assert connection.produce(topic, batch([b"x"]))[0] == 0
        topic_id = connection.metadata([topic])[topic][1]
        _, keys = connection.api_versions()
    if key not in keys:
        with Connection(broker) as connection:
            connection.send(key, 0, bytes(20))
            connection.expect_closed()
        return
    low, high = keys[key]
    low = 3 if key == kafka_wire.PRODUCE else low  # 0 is advertised for old librdkafka, 3 is the first that is kept
    for version in range(low, high + 1):
        if not request_class.min_version <= version <= request_class.max_version:
            continue
        with Connection(broker) as connection:
            body = bytes(request(request_class, topic, topic_id, group).encode(version=version))
            rest = ask(connection, request_class, version, body).rest
            answer = response_class.decode(rest, version=version)
            answer._header = None  # what was taken apart without a header has none, and encode looks for it
            assert bytes(answer.encode(version=version)) == rest, f"version {version}"
            if key == kafka_wire.FETCH:
                assert b"x" in bytes(answer.responses[0].partitions[0].records)
            if key == kafka_wire.PRODUCE:
                assert answer.responses[0].partition_responses[0].error_code == 0
            if getattr(answer, "error_code", 0) not in (0, None):
                # Requests about nothing: no group, no topics.
                assert key in EMPTY_IS_AN_ERROR, f"version {version}: {answer}"


EMPTY_IS_AN_ERROR = {
    kafka_wire.JOIN_GROUP, kafka_wire.SYNC_GROUP, kafka_wire.HEARTBEAT, kafka_wire.LEAVE_GROUP, 47, kafka_wire.INIT_PRODUCER_ID,
}


def test_the_classes_are_really_those_of_the_apis():
    assert {kafka_wire.PRODUCE, kafka_wire.FETCH, kafka_wire.METADATA, kafka_wire.JOIN_GROUP} <= set(CLASSES)
    assert len(CLASSES) > 40
    body = bytes(CLASSES[kafka_wire.METADATA][0](topics=None).encode(version=1))
    assert body == struct.pack(">i", -1) == W().i32(-1).bytes
