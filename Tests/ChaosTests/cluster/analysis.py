"""What a history of clients says of the cluster: after the Kafka workload of Jepsen, written anew.

Pure: events in, findings out. A finding is (name, sentence, details); names are those of `ANOMALIES`.
"""

import collections

from ownership import ownership_findings
from partition_log import KnownLogs
from registers import committed_findings, end_offset_findings

ANOMALIES = {
    "inconsistent-offsets": "an offset has held two values",
    "duplicate": "a value is at two offsets",
    "aborted-read": "a value was read whose producer was told that it was not written",
    "unknown-value": "a value was read that nobody sent",
    "lost-write": "an acknowledged value is not there, and later ones of its partition were read",
    "vanished": "a value that somebody has read, or was told is there, is not there in the end",
    "unseen": "an acknowledged value was not read until the end",
    "nonmonotonic-poll": "a consumer went back without being told to",
    "poll-skip": "a consumer passed over records",
    "group-nonmonotonic-poll": "a member of a group went back within one assignment",
    "group-poll-skip": "a member of a group passed over records within one assignment",
    "group-skip": "a group committed beyond records that none of its members has read",
    "nonmonotonic-send": "a producer's records stand in another order than it sent them",
    "ownership": "two members of a group had the same partition",
    "zombie-commit": "a member that had lost a partition could commit an offset of it",
    "committed-regressed": "a group's offset was told smaller than one acknowledged before",
    "committed-invented": "a group's offset was told that nobody had committed",
    "end-regressed": "the end of a partition went back",
    "incomplete": "the final reads did not come to the end: what was not seen cannot be called lost",
}

# What does not fail a run. Clients that subscribe are handed records of an assignment that they have lost already now and then,
# librdkafka among them; what the group has read and committed as a whole is asked of it all the same.
ALLOWED = {"group-nonmonotonic-poll", "group-poll-skip"}

Finding = collections.namedtuple("Finding", "name sentence details")
DETAILS_MAX = 20


class Send:
    """One record from its invocation to what is known of its end."""

    __slots__ = ("process", "key", "value", "number", "time", "outcome", "offset", "done")

    def __init__(self, process, key, value, number, time):
        self.process, self.key, self.value, self.number, self.time = process, key, value, number, time
        self.outcome, self.offset, self.done = "info", None, None


def analyse(events):
    """All findings of a history, the same for the same history."""
    sends = _sends(events)
    logs = KnownLogs()
    for send in sends.values():
        if send.outcome == "ok" and send.offset is not None:
            logs.saw(send.key, send.offset, send.value)
    polled = collections.defaultdict(set)
    for event in events:
        if event["f"] == "poll":
            for offset, value in event["records"]:
                logs.saw(event["key"], offset, value)
                polled[event["key"]].add(value)
    findings = logs.findings()
    findings += _aborted(sends, polled)
    findings += _missing(events, sends, logs, polled)
    findings += _vanished(events, sends, polled)
    findings += _polls(events, logs)
    findings += _send_order(sends)
    findings += ownership_findings(events)
    findings += committed_findings(events)
    findings += end_offset_findings(events)
    findings += _group_skips(events, logs)
    return [Finding(name, ANOMALIES[name], details) for name, details in _merged(findings)]


def _merged(findings):
    """One finding a name, in the order of `ANOMALIES`, with all its details."""
    by_name = collections.defaultdict(list)
    for name, detail in findings:
        by_name[name].append(detail)
    return [(name, by_name[name]) for name in ANOMALIES if name in by_name]


def _sends(events):
    """{(key, value): Send} in the order of invocation."""
    sends = {}
    for event in events:
        if event["f"] != "send":
            continue
        place = event["key"], event["value"]
        if event["type"] == "invoke":
            assert place not in sends, f"{place} is sent twice: the history is no good"
            sends[place] = Send(event["process"], *place, len(sends), event["time"])
        else:
            send = sends[place]
            send.outcome, send.done = event["type"], event["time"]
            send.offset = event.get("offset")
    return sends


def _aborted(sends, polled):
    for key in sorted(polled):
        for value in sorted(polled[key]):
            send = sends.get((key, value))
            if send is None:
                yield "unknown-value", {"key": key, "value": value}
            elif send.outcome == "fail":
                yield "aborted-read", {"key": key, "value": value, "process": send.process}


def _missing(events, sends, logs, polled):
    """Acknowledged and never read. Before the highest offset that anybody has read, that is a loss; behind it the record is
    unseen, which is one as well once somebody has read everything there is."""
    finals = {key for event in events if event["f"] == "final" for key in event["keys"]}
    highest = {}
    for event in events:
        if event["f"] == "poll" and event["records"]:
            highest[event["key"]] = max(highest.get(event["key"], -1), event["records"][-1][0])
    for send in sends.values():
        if send.outcome != "ok" or send.value in polled[send.key]:
            continue
        is_before = send.offset is not None and send.offset <= highest.get(send.key, -1)
        name = "lost-write" if is_before else "unseen"
        yield name, {
            "key": send.key, "value": send.value, "offset": send.offset, "process": send.process, "acknowledged": send.done,
        }
    for key in sorted({send.key for send in sends.values() if send.outcome == "ok"} - finals):
        yield "incomplete", {"key": key}


def _vanished(events, sends, polled):
    """What the final reads, which go from the first offset to the end, do not find, though it was seen there before."""
    readers = collections.defaultdict(set)
    for event in events:
        if event["f"] == "final":
            for key in event["keys"]:
                readers[key].add(event["process"])
    found = collections.defaultdict(set)
    for event in events:
        if event["f"] == "poll" and event["process"] in readers[event["key"]]:
            found[event["key"]].update(value for _, value in event["records"])
    for key in sorted(key for key in readers if readers[key]):
        for value in sorted(polled[key] - found[key]):
            send = sends.get((key, value))
            acknowledged = send is not None and send.outcome == "ok"
            yield "vanished", {"key": key, "value": value, "offset": send and send.offset, "acknowledged": acknowledged}


def _polls(events, logs):
    """Each process for itself: from one assignment to the next it reads every record, in order."""
    last = {}
    for event in events:
        process = event["process"]
        if event["f"] in ("assign", "revoke", "lost"):
            for key in event["keys"]:
                last.pop((process, key), None)
        elif event["f"] == "poll":
            place = process, event["key"]
            kind = "" if event.get("group") is None else "group-"
            for offset, value in event["records"]:
                before = last.get(place)
                if before is not None and offset <= before:
                    yield kind + "nonmonotonic-poll", {
                        "process": process, "key": event["key"], "from": before, "to": offset, "time": event["time"],
                    }
                elif before is not None and (between := logs.between(event["key"], before, offset)):
                    yield kind + "poll-skip", {
                        "process": process, "key": event["key"], "from": before, "to": offset, "time": event["time"],
                        "skipped": between[:DETAILS_MAX],
                    }
                last[place] = offset


def _send_order(sends):
    """What one producer was acknowledged stands in the order in which it was sent. `sends` are in that order."""
    last = {}
    for send in sends.values():
        if send.outcome != "ok" or send.offset is None:
            continue
        place = send.process, send.key
        before = last.get(place)
        if before is not None and send.offset < before.offset:
            yield "nonmonotonic-send", {
                "process": send.process, "key": send.key, "value": send.value, "offset": send.offset,
                "before": [before.value, before.offset],
            }
        else:
            last[place] = send


def _group_skips(events, logs):
    """A commit speaks for every record before it: by then somebody of the group must have read them."""
    read, checked = collections.defaultdict(set), {}
    for event in events:
        if event.get("group") is None:
            continue
        place = event["group"], event.get("key")
        if event["f"] == "poll":
            read[place].update(offset for offset, _ in event["records"])
        elif event["f"] == "commit" and event["type"] == "invoke":
            after = checked.get(place, -1)
            missing = [found for found in logs.between(place[1], after, event["offset"]) if found[0] not in read[place]]
            if missing:
                yield "group-skip", {
                    "group": event["group"], "key": event["key"], "process": event["process"], "committed": event["offset"],
                    "skipped": missing[:DETAILS_MAX], "time": event["time"],
                }
            checked[place] = max(after, event["offset"] - 1)
