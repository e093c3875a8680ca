#!/usr/bin/env python3
"""Writes Golden.txt: messages encoded by implementations that are not ours.

    python3 -m venv venv && venv/bin/pip install kafka-python==3.0.12 aiokafka==0.14
    venv/bin/python Tests/KafkaProtocolTests/make_golden.py > Tests/KafkaProtocolTests/Golden.txt

Each line: the message, its version, the implementation, the bytes in base64, and for the newest version of each message
the values of its fields as JSON, every leaf as text. The same libraries always give the same file.
"""

import base64
import importlib
import inspect
import json
import pkgutil
import random
import sys
import uuid

import aiokafka.protocol
from aiokafka.protocol import types as aio
from aiokafka.protocol.api import RequestStruct, Response
from kafka.protocol.schemas import BaseField, StructField, load_json
import kafka.protocol.schemas.resources as resources

# What stands for all of Kafka's strings: empty, short, not ASCII, longer than a one-byte varint can tell.
WORDS = ["", "a", "orders", "payments.eu-west-1", "größe", "注文", "x" * 130]


class Values:
    """Arbitrary values, the same for the same name."""

    def __init__(self, name):
        self.random = random.Random(name)

    def integer(self, bits):
        small = self.random.random() < 0.5
        return self.random.randint(0, 100) if small else self.random.randint(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)

    def leaf(self, kind):
        if kind.startswith("int"):
            return self.integer(int(kind[3:]))
        if kind == "uint16":
            return self.random.randint(0, 65535)
        if kind == "float64":
            return self.random.randint(-4000, 4000) / 8
        if kind == "bool":
            return self.random.random() < 0.5
        if kind == "string":
            return self.random.choice(WORDS)
        if kind in ("bytes", "records"):
            return self.random.randbytes(self.random.choice([0, 1, 7, 140]))
        if kind == "uuid":
            return uuid.UUID(int=self.random.getrandbits(127) + 1)
        raise ValueError(kind)

    def count(self):
        return self.random.choice([0, 1, 1, 2, 3])

    def chance(self, of):
        return self.random.random() < of


# -- kafka-python: it carries the field tables of Kafka itself


def value(field, version, values):
    if field.nullable_for_version_q(version) and values.chance(0.3):
        return None
    if field.is_struct_array():
        return [structure(field.array_of, version, values) for _ in range(values.count())]
    if field.is_array():
        return [values.leaf(field.array_of.type_str) for _ in range(values.count())]
    if field.is_struct():
        return structure(field, version, values)
    return values.leaf(field.type_str)


def structure(struct, version, values):
    fields = {field.name: value(field, version, values) for field in struct.untagged_fields(version)}
    tagged = [field for field in struct._fields if field.for_version_q(version) and field.tagged_field_q(version)]
    for field in sorted(tagged, key=lambda field: field.tag):
        candidate = value(field, version, values)
        if values.chance(0.7) and candidate != field.default and candidate != []:
            fields[field.name] = candidate
    return fields


def text(field, value, version):
    """The value with every leaf as text, under the names of Kafka's tables with their first letter made small."""
    if value is None:
        return None
    if field.is_struct_array():
        return [texts(field.array_of, element, version) for element in value]
    if field.is_array():
        return [text_of_leaf(element) for element in value]
    if field.is_struct():
        return texts(field, value, version)
    return text_of_leaf(value)


def texts(struct, value, version):
    return {
        field._name[0].lower() + field._name[1:]: text(field, value[field.name], version)
        for field in struct._fields
        if field.name in value
    }


def text_of_leaf(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, uuid.UUID):
        return value.hex
    return str(value)


def kafka_python():
    names = sorted(entry.name[:-5] for entry in importlib.resources.files(resources).iterdir() if entry.name.endswith(".json"))
    for name in names:
        schema = load_json(name)
        low, high = BaseField.parse_versions(schema["validVersions"])
        flexible = BaseField.parse_versions(schema["flexibleVersions"])
        struct = StructField(schema)
        for version in range(low, high + 1):
            compact = flexible is not None and flexible[0] <= version <= flexible[1]
            for round in range(2):
                fields = structure(struct, version, Values(f"kafka-python {name} {version} {round}"))
                # The strings of a header are never compact, though the header may have tagged fields.
                strings = compact and schema["type"] != "header"
                encoded = struct.encode(fields, version=version, compact=strings, tagged=compact)
                leaves = texts(struct, fields, version) if version == high else None
                yield name, version, "kafka-python", encoded, leaves


# -- aiokafka: tables written by hand, from Kafka's documentation

API_NAMES = {
    0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch",
    10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup", 14: "SyncGroup",
    15: "DescribeGroups", 16: "ListGroups", 17: "SaslHandshake", 18: "ApiVersions", 19: "CreateTopics",
    20: "DeleteTopics", 21: "DeleteRecords", 22: "InitProducerId", 24: "AddPartitionsToTxn",
    25: "AddOffsetsToTxn", 26: "EndTxn", 28: "TxnOffsetCommit", 29: "DescribeAcls", 30: "CreateAcls",
    31: "DeleteAcls", 32: "DescribeConfigs", 33: "AlterConfigs", 36: "SaslAuthenticate",
    37: "CreatePartitions", 42: "DeleteGroups", 45: "AlterPartitionReassignments",
    46: "ListPartitionReassignments", 48: "DescribeClientQuotas",
}

# Tables that aiokafka has wrong, and does not use: DescribeAcls 2 is flexible, and the leader epoch of ListOffsets 4 and 5
# is an int32.
WRONG = [("DescribeAclsRequest", 2), ("DescribeAclsResponse", 2), ("ListOffsetsRequest", 4), ("ListOffsetsRequest", 5)]

LEAVES = {
    aio.Int8: "int8", aio.Int16: "int16", aio.Int32: "int32", aio.Int64: "int64", aio.Float64: "float64",
    aio.Boolean: "bool", aio.Bytes: "bytes", aio.CompactBytes: "bytes",
}


def aio_value(kind, values):
    if isinstance(kind, aio.Schema):
        return tuple(aio_value(field, values) for field in kind.fields)
    if isinstance(kind, aio.Array):
        return [aio_value(kind.array_of, values) for _ in range(values.count())]
    if isinstance(kind, aio.String):
        return values.leaf("string")
    if kind is aio.TaggedFields:
        return {}
    return values.leaf(LEAVES[kind])


def aiokafka_classes():
    found = {}
    for module in pkgutil.iter_modules(aiokafka.protocol.__path__):
        for _, item in inspect.getmembers(importlib.import_module("aiokafka.protocol." + module.name), inspect.isclass):
            if issubclass(item, (RequestStruct, Response)) and isinstance(getattr(item, "SCHEMA", None), aio.Schema):
                if isinstance(getattr(item, "API_VERSION", None), int) and item.API_KEY in API_NAMES:
                    role = "Request" if issubclass(item, RequestStruct) else "Response"
                    found[(API_NAMES[item.API_KEY] + role, item.API_VERSION)] = item
    return sorted(found.items())


def aiokafka_vectors():
    for (name, version), item in aiokafka_classes():
        if (name, version) in WRONG:
            continue
        values = Values(f"aiokafka {name} {version}")
        yield name, version, "aiokafka", item.SCHEMA.encode(aio_value(item.SCHEMA, values)), None


def main():
    for name, version, source, encoded, leaves in [*kafka_python(), *aiokafka_vectors()]:
        line = [name, str(version), source, base64.b64encode(encoded).decode() or "-"]
        if leaves is not None:
            line.append(json.dumps(leaves, separators=(",", ":"), ensure_ascii=True))
        print(" ".join(line[:4]) + (" " + line[4] if len(line) == 5 else ""))


if __name__ == "__main__":
    sys.exit(main())
