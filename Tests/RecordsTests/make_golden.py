"""Writes GoldenBatches.swift: record batches made by kafka-python, as hexadecimal text.

    pip install kafka-python python-snappy lz4 zstandard
    python make_golden.py > GoldenBatches.swift

Run it again only to add a batch: gzip writes the time of day, so that the bytes differ from run to run.
"""
import struct

import lz4.frame
import snappy
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.util import calc_crc32c

BASE = 1_700_000_000_000
# offset, timestamp, key, value, headers
RECORDS = [
    (BASE, b"key-0", b"value-0", []),
    (BASE + 5, None, b"value without a key", [("trace", b"\x00\x01"), ("empty", None)]),
    (BASE - 3, b"tombstone", None, []),
    (BASE + 900, b"", b"", [("h\u00e4", b"")]),
    (BASE + 900, b"long", b"0123456789" * 40, []),
]
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(codec, producer=(-1, -1, -1), transactional=False):
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=transactional, producer_id=producer[0],
        producer_epoch=producer[1], base_sequence=producer[2], batch_size=1 << 20)
    for offset, (timestamp, key, value, headers) in enumerate(RECORDS):
        assert builder.append(offset, timestamp, key, value, headers)
    return bytes(builder.build())


def repacked(codec, pack):
    """The batch without compression, its records packed in another way of the same codec."""
    plain = batch(0)
    packed = bytearray(plain[:61] + pack(plain[61:]))
    struct.pack_into(">i", packed, 8, len(packed) - 12)
    struct.pack_into(">h", packed, 21, codec)
    struct.pack_into(">I", packed, 17, calc_crc32c(bytes(packed[21:])))
    return bytes(packed)


def main():
    batches = {name: batch(codec) for name, codec in CODECS.items()}
    batches["transactional"] = batch(0, producer=(4711, 3, 42), transactional=True)
    batches["snappyRaw"] = repacked(2, snappy.compress)
    batches["lz4Linked"] = repacked(3, lambda records: lz4.frame.compress(
        records, block_linked=True, content_checksum=True, store_size=True))
    batches["lz4WithoutSize"] = repacked(3, lambda records: lz4.frame.compress(
        records, block_linked=False, store_size=False))
    print("// Made by make_golden.py with kafka-python 3.0.12. Do not edit.\n")
    print("/// Batches that another implementation made, all of the same five records.")
    print("enum GoldenBatches {")
    for name, made in batches.items():
        print(f"  static let {name} = \"\"\"")
        text = made.hex()
        for start in range(0, len(text), 100):
            print(f"    {text[start:start + 100]}")
        print("    \"\"\"")
    print("}")


main()
