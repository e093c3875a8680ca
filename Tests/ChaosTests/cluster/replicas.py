"""What the replicas of a partition hold, byte for byte: read from the files of brokers that are stopped."""

import pathlib
import struct

HEADER_BYTES = 61


def batches(folder):
    """{base offset: bytes} of all whole batches in a partition's folder."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.log")):
        data = path.read_bytes()
        position = 0
        while position + HEADER_BYTES <= len(data):
            base, length = struct.unpack(">qi", data[position : position + 12])
            end = position + 12 + length
            if length <= 0 or end > len(data):
                break
            found[base] = data[position:end]
            position = end
    return found


def next_offset(held):
    if not held:
        return 0
    base = max(held)
    return base + struct.unpack(">i", held[base][23:27])[0] + 1


def differences(folders):
    """[(base offset, who differs from the first)] over what all of `folders` ({name: folder}) should hold alike, and the ends
    where they are not the same. Deleted beginnings are left out."""
    held = {name: batches(folder) for name, folder in sorted(folders.items())}
    first_kept = max((min(each) for each in held.values() if each), default=0)
    names = list(held)
    found = []
    everywhere = sorted({base for each in held.values() for base in each if base >= first_kept})
    for base in everywhere:
        for name in names[1:]:
            if held[name].get(base) != held[names[0]].get(base):
                found.append((base, name))
    ends = {name: next_offset(each) for name, each in held.items()}
    return found, ends if len(set(ends.values())) > 1 else {}


def compare(brokers, topic, partitions):
    """Findings of the replicas of `topic`; `brokers` are {name: data folder}."""
    findings = []
    for number in range(partitions):
        folders = {name: data / f"{topic}-{number}" for name, data in brokers.items() if (data / f"{topic}-{number}").is_dir()}
        found, ends = differences(folders)
        if found or ends:
            findings.append(("divergence", {"key": f"{topic}-{number}", "batches": found[:20], "ends": ends}))
    return findings
