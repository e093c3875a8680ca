"""Who of a group had which partition, and when.

From outside a generation cannot be seen, only what members were told. A member that gives a partition back (`revoke`) was in good
standing until then: nobody else may have had it meanwhile. One that has lost it (`lost`) or crashed may learn so late: others may
have the partition by then, but what it commits after that must be refused.
"""

import collections

# A member notes what happened after it did: this much earlier or later is no overlap.
TOLERANCE_SECONDS = 0.05


class Tenure:
    def __init__(self, process, key, group, start):
        self.process, self.key, self.group, self.start = process, key, group, start
        self.end, self.ending = float("inf"), "open"


def tenures(events):
    """Every time of a member with a partition."""
    running, all_of_them = {}, []

    def finish(place, time, how):
        tenure = running.pop(place, None)
        if tenure is not None:
            tenure.end, tenure.ending = time, how

    for event in events:
        process = event["process"]
        if event["f"] == "crash":
            for place in [place for place in running if place[0] == process]:
                finish(place, event["time"], "crash")
        if event["f"] not in ("assign", "revoke", "lost") or event.get("group") is None:
            continue
        for key in event["keys"]:
            place = process, event["group"], key
            finish(place, event["time"], "assign" if event["f"] == "assign" else event["f"])
            if event["f"] == "assign":
                running[place] = Tenure(process, key, event["group"], event["time"])
                all_of_them.append(running[place])
    return all_of_them


def ownership_findings(events):
    by_place = collections.defaultdict(list)
    for tenure in tenures(events):
        by_place[tenure.group, tenure.key].append(tenure)
    findings = []
    for (group, key), held in sorted(by_place.items()):
        held.sort(key=lambda tenure: tenure.start)
        for place, first in enumerate(held):
            for second in held[place + 1 :]:
                overlap = min(first.end, second.end) - second.start
                if overlap <= TOLERANCE_SECONDS or first.ending in ("lost", "crash"):
                    continue
                # One that has never ended, when the run did, gave nothing back either.
                findings.append(
                    ("ownership", {
                        "group": group, "key": key, "members": [first.process, second.process],
                        "from": second.start, "seconds": None if overlap == float("inf") else round(overlap, 3),
                        "ending": first.ending,
                    })
                )
    return findings + _zombie_commits(events, by_place)


def _zombie_commits(events, by_place):
    """Commits that were begun after somebody else had got the partition, by one that had lost it, and acknowledged."""
    begun, findings = {}, []
    for event in events:
        if event["f"] != "commit":
            continue
        worker = event["process"], event["group"], event["key"]
        if event["type"] == "invoke":
            begun[worker] = event["time"]
        elif event["type"] == "ok" and worker in begun:
            start = begun.pop(worker)
            held = by_place.get((event["group"], event["key"]), [])
            own = [tenure for tenure in held if tenure.process == event["process"] and tenure.start <= start]
            if not own:
                continue
            later = [
                tenure for tenure in held
                if tenure.process != event["process"] and own[-1].start < tenure.start < start - TOLERANCE_SECONDS
            ]
            if later:
                findings.append(
                    ("zombie-commit", {
                        "group": event["group"], "key": event["key"], "process": event["process"],
                        "offset": event.get("offset"), "owner": later[-1].process, "time": start,
                    })
                )
    return findings
