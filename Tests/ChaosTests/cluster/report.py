"""What a run says in the end, for people and for programs."""

import json

from analysis import ALLOWED

DETAILS_SHOWN = 3
# A gap between acknowledgements that is worth a line.
GAP_SECONDS = 1.0


def figures(events):
    """How much was done, and for how long nothing was acknowledged."""
    counts, times = {}, []
    for event in events:
        if event["f"] in ("send", "commit"):
            name = f"{event['f']} {event['type']}"
            counts[name] = counts.get(name, 0) + 1
        elif event["f"] == "poll":
            counts["read"] = counts.get("read", 0) + len(event["records"])
        elif event["f"] in ("assign", "revoke", "lost") and event.get("group"):
            counts[event["f"]] = counts.get(event["f"], 0) + 1
        if event["f"] == "send" and event["type"] == "ok":
            times.append(event["time"])
    gaps = [(second - first, first) for first, second in zip(times, times[1:]) if second - first > GAP_SECONDS]
    return {
        "counts": dict(sorted(counts.items())),
        "longestSilences": [{"seconds": round(gap, 1), "from": round(start, 1)} for gap, start in sorted(gaps, reverse=True)[:10]],
        "silentSeconds": round(sum(gap for gap, _ in gaps), 1),
    }


def document(options, world, campaign, events, findings, workers):
    whole = sorted(each.whole_after for each in campaign.rounds if each.whole_after is not None)
    return {
        "passed": all(name in ALLOWED for name, _, _ in findings), "seed": options.seed,
        "seconds": options.duration, "brokers": len(world.brokers),
        "zookeepers": len(world.zookeepers), "network": world.network is not None, "disks": bool(world.disks),
        "only": sorted(world.only),
        "settings": dict(options.settings), "rounds": [each.as_json() for each in campaign.rounds],
        "wholeAfterSeconds": {"count": len(whole), "median": whole[len(whole) // 2], "max": whole[-1]} if whole else None,
        "workers": workers, **figures(events),
        "findings": [{"name": name, "meaning": meaning, "count": len(details), "details": details} for name, meaning, details in findings],
    }


def text(report):
    counts = report["counts"]
    lines = [
        f"seed {report['seed']}: {report['seconds']} s, {len(report['rounds'])} rounds, {report['brokers']} brokers, "
        f"{report['zookeepers']} ZooKeepers{', partitions of the network' if report['network'] else ''}"
        f"{', power cuts' if report['disks'] else ''}",
        f"records: {counts.get('send ok', 0)} acknowledged, {counts.get('send fail', 0)} refused, {counts.get('send info', 0)} unknown; "
        f"{counts.get('read', 0)} read",
        f"commits: {counts.get('commit ok', 0)} acknowledged, {counts.get('commit info', 0)} unknown; partitions changed hands "
        f"{counts.get('assign', 0)} times, {counts.get('lost', 0)} were lost",
        f"nothing acknowledged for more than {GAP_SECONDS:g} s: {report['silentSeconds']} s in all, at most "
        f"{report['longestSilences'][0]['seconds'] if report['longestSilences'] else 0} s",
    ]
    if report["wholeAfterSeconds"]:
        whole = report["wholeAfterSeconds"]
        lines.append(f"whole again after the harm: median {whole['median']:.1f} s, at most {whole['max']:.1f} s ({whole['count']} times)")
    for finding in report["findings"]:
        word = "allowed:" if finding["name"] in ALLOWED else "FOUND"
        lines.append(f"{word} {finding['name']} {finding['count']} times: {finding['meaning']}")
        lines += [f"    {json.dumps(detail)[:1500]}" for detail in finding["details"][:DETAILS_SHOWN]]
    lines.append("passed: nothing was lost, doubled, reordered or read too early" if report["passed"] else "FAILED")
    return "\n".join(lines)
