"""Numbers that only grow, as seen by many who ask at the same time: what was told to one is a floor for all who ask later."""

import collections


def committed_findings(events):
    """A group's offsets: once a commit is acknowledged, whoever asks later is told that or more, and never what nobody
    committed."""
    acknowledged = collections.defaultdict(lambda: -1)
    invoked = collections.defaultdict(set)
    floors, findings = {}, []
    pending = {}
    for event in events:
        if event["f"] not in ("commit", "committed"):
            continue
        place = event["group"], event["key"]
        worker = event["process"], *place
        if event["f"] == "commit":
            if event["type"] == "invoke":
                invoked[place].add(event["offset"])
                pending[worker] = event["offset"]
            elif event["type"] == "ok":
                acknowledged[place] = max(acknowledged[place], pending.get(worker, event["offset"]))
        elif event["type"] == "invoke":
            floors[worker] = acknowledged[place]
        elif event["type"] == "ok":
            floor, told = floors.pop(worker, -1), event["offset"]
            if told < floor:
                findings.append(
                    ("committed-regressed", {
                        "group": place[0], "key": place[1], "told": told, "acknowledged": floor, "time": event["time"],
                    })
                )
            if told >= 0 and told not in invoked[place]:
                findings.append(("committed-invented", {"group": place[0], "key": place[1], "told": told, "time": event["time"]}))
    return findings


def end_offset_findings(events):
    """The end of a partition, which consumers may read up to, never goes back: not for one who asked after another was told."""
    told, floors, findings = collections.defaultdict(lambda: -1), {}, []
    for event in events:
        if event["f"] != "end":
            continue
        worker = event["process"], event["key"]
        if event["type"] == "invoke":
            floors[worker] = told[event["key"]]
        elif event["type"] == "ok":
            floor = floors.pop(worker, -1)
            if event["offset"] < floor:
                findings.append(
                    ("end-regressed", {"key": event["key"], "told": event["offset"], "before": floor, "time": event["time"]})
                )
            told[event["key"]] = max(told[event["key"]], event["offset"])
    return findings
