#!/usr/bin/env python3
"""Writes Fuzz/corpus from the tests' vectors: one frame for each request and version, with its header in front.

    python3 Fuzz/make_corpus.py
"""

import base64
import pathlib
import re
import struct

ROOT = pathlib.Path(__file__).resolve().parent.parent


def keys():
    """The key of each API, and the first flexible version of its request, from the schemas."""
    for path in sorted((ROOT / "Schemas/Messages").glob("*.schema")):
        text = path.read_text()
        head = re.match(r"api (\w+), key (\d+)", text)
        if head:
            versions = re.search(r"^request, v(\d+)(?:-(\d+))?(?:, flexible v(\d+)\+)?", text, re.M)
            low, high, flexible = (int(number) if number else None for number in versions.groups())
            yield head[1] + "Request", (int(head[2]), low, high or low, flexible)


def main():
    folder = ROOT / "Fuzz/corpus"
    folder.mkdir(exist_ok=True)
    apis = dict(keys())
    seen = set()
    for line in (ROOT / "Tests/KafkaProtocolTests/Golden.txt").read_text().splitlines():
        name, version, source, body = line.split(" ")[:4]
        version = int(version)
        if name not in apis or source != "kafka-python" or (name, version) in seen:
            continue
        key, low, high, flexible = apis[name]
        if not low <= version <= high:
            continue
        seen.add((name, version))
        header = struct.pack(">hhih", key, version, 7, 3) + b"abc"
        if flexible is not None and version >= flexible:
            header += b"\0"
        frame = header + (b"" if body == "-" else base64.b64decode(body))
        (folder / f"{name.removesuffix('Request')}-{version}").write_bytes(frame)


main()
