"""The analysis finds each anomaly in a history that was made to have it, and nothing in a clean one."""

import random

import pytest

from analysis import ALLOWED, ANOMALIES, analyse
from outcomes import TABLE, outcome_of, read_table
from partition_log import KnownLogs

pytestmark = pytest.mark.short

KEY = "t-0"


class Made:
    """A history made by hand; an event comes a second after the one before."""

    def __init__(self):
        self.events, self.time = [], 0.0

    def note(self, process, f, type="ok", wait=1.0, **more):
        self.time += wait
        self.events.append({"time": self.time, "process": process, "f": f, "type": type, **more})
        return self

    def send(self, value, offset=None, process="p", type="ok", key=KEY):
        self.note(process, "send", "invoke", key=key, value=value)
        if type == "ok":
            return self.note(process, "send", "ok", key=key, value=value, offset=offset)
        if type in ("fail", "info"):
            return self.note(process, "send", type, key=key, value=value, error="E")
        return self

    def poll(self, *records, process="r", key=KEY, group=None):
        return self.note(process, "poll", key=key, records=[list(record) for record in records], group=group)

    def commit(self, offset, process="m", type="ok", key=KEY, group="g"):
        self.note(process, "commit", "invoke", key=key, group=group, offset=offset)
        return self.note(process, "commit", type, key=key, group=group, offset=offset) if type else self

    def committed(self, offset, process="m", key=KEY, group="g"):
        self.note(process, "committed", "invoke", key=key, group=group)
        return self.note(process, "committed", "ok", key=key, group=group, offset=offset)

    def members(self, f, process, *keys, group="g"):
        return self.note(process, f, group=group, keys=list(keys or [KEY]))

    def end(self, offset, process="e", key=KEY):
        self.note(process, "end", "invoke", key=key)
        return self.note(process, "end", "ok", key=key, offset=offset)

    def final(self, *keys, process="final"):
        """With nothing read before it, the final reads find all that anybody has read."""
        keys = list(keys or [KEY])
        for key in keys:
            if not any(each["f"] == "poll" and each["process"] == process and each["key"] == key for each in self.events):
                held = {o: v for each in self.events if each["f"] == "poll" and each["key"] == key for o, v in each["records"]}
                self.poll(*sorted(held.items()), process=process, key=key)
        return self.note(process, "final", keys=keys)

    def names(self):
        return [finding.name for finding in analyse(self.events)]


def clean():
    """Two records read by everybody, a group that passes a partition on, and a record of which nobody knows."""
    made = Made().send("a", 0).send("b", 1).send("c", type="info").send("d", type=None).send("e", 4).send("f", type="fail")
    made.members("assign", "m1").poll((0, "a"), (1, "b"), process="m1", group="g").commit(2, "m1")
    made.members("revoke", "m1").members("assign", "m2").committed(2, "m2")
    made.poll((2, "d"), (4, "e"), process="m2", group="g").commit(5, "m2")
    made.end(5).end(5, "other")
    return made.poll((0, "a"), (1, "b"), (2, "d"), (4, "e"), process="final").final()


def test_a_clean_history_has_no_findings():
    assert clean().names() == []


def test_nothing_happened():
    assert analyse([]) == []


def test_an_offset_with_two_values():
    assert Made().send("a", 0).send("b", 1).poll((0, "a"), (1, "b")).poll((0, "b"), process="s").final().names() == [
        "inconsistent-offsets", "duplicate", "vanished",
    ]


def test_the_offset_of_an_acknowledgement_is_believed():
    made = Made().send("a", 0).send("b", 1).poll((0, "b"), (1, "a")).final()
    assert set(made.names()) == {"inconsistent-offsets", "duplicate"}


def test_a_value_at_two_offsets():
    assert Made().send("a", 0).poll((0, "a"), (1, "a")).final().names() == ["duplicate"]


def test_a_value_that_was_refused_is_read():
    assert Made().send("a", type="fail").poll((0, "a")).names() == ["aborted-read"]


def test_a_value_that_nobody_sent_is_read():
    assert Made().poll((0, "a")).names() == ["unknown-value"]


@pytest.mark.parametrize("type", ["info", None])
def test_a_value_of_unknown_end_may_be_read_or_not(type):
    assert Made().send("a", type=type).poll((0, "a")).names() == []
    assert Made().send("a", type=type).names() == []


def test_an_acknowledged_value_before_others_that_were_read_is_lost():
    assert Made().send("a", 0).send("b", 1).poll((1, "b")).final().names() == ["lost-write"]
    assert Made().send("a", 0).send("b", 1).poll((1, "b")).names() == ["lost-write", "incomplete"]


def test_an_acknowledged_value_behind_all_that_was_read_is_unseen():
    assert Made().send("a", 0).send("b", 1).poll((0, "a")).final().names() == ["unseen"]


def test_an_acknowledgement_without_an_offset_must_be_read_as_well():
    assert Made().send("a").send("b", 1).poll((1, "b")).final().names() == ["unseen"]
    assert Made().send("a").send("b", 1).poll((0, "a"), (1, "b")).final().names() == []


def test_a_value_that_was_read_is_gone_in_the_end():
    made = Made().send("a", 0).send("b", 1).poll((0, "a"), (1, "b"))
    assert made.poll((0, "a"), process="final").final().names() == ["vanished"]
    made = Made().send("a", type="info").send("b", 1).poll((0, "a"), (1, "b"))
    assert made.poll((1, "b"), process="final").final().names() == ["vanished"], "also one of unknown end, once it was read"


def test_without_final_reads_the_run_says_nothing():
    assert Made().send("a", 0).poll((0, "a")).names() == ["incomplete"]


def test_a_consumer_goes_back():
    made = Made().send("a", 0).send("b", 1)
    assert made.poll((0, "a"), (1, "b")).poll((0, "a")).final().names() == ["nonmonotonic-poll"]


def test_a_consumer_reads_the_same_again():
    assert Made().send("a", 0).poll((0, "a")).poll((0, "a")).final().names() == ["nonmonotonic-poll"]


def test_a_consumer_that_is_given_a_partition_anew_may_go_back():
    made = Made().send("a", 0).send("b", 1).members("assign", "m").poll((0, "a"), (1, "b"), process="m", group="g")
    made.members("revoke", "m").members("assign", "m").poll((0, "a"), (1, "b"), process="m", group="g")
    assert made.final().names() == []


def test_a_consumer_passes_over_a_record():
    made = Made().send("a", 0).send("b", 1).send("c", 2).poll((0, "a"), (1, "b"), (2, "c"), process="s")
    assert made.poll((0, "a")).poll((2, "c")).final().names() == ["poll-skip"]


def test_members_of_a_group_are_forgiven_what_a_reader_alone_is_not():
    made = Made().send("a", 0).send("b", 1).send("c", 2).poll((0, "a"), (1, "b"), (2, "c"), process="s")
    made.members("assign", "m").poll((0, "a"), (2, "c"), process="m", group="g").poll((1, "b"), process="m", group="g")
    made.members("revoke", "m").final()
    assert made.names() == ["group-nonmonotonic-poll", "group-poll-skip"]
    assert set(made.names()) == ALLOWED < set(ANOMALIES)


def test_offsets_without_records_are_no_skip():
    assert Made().send("a", 0).send("b", 5).poll((0, "a"), (5, "b")).final().names() == []


def test_a_group_commits_what_it_has_not_read():
    made = Made().send("a", 0).send("b", 1).poll((0, "a"), (1, "b")).poll((0, "a"), process="m", group="g")
    assert made.commit(2).final().names() == ["group-skip"]


def test_a_group_that_begins_behind_the_first_record_has_passed_over_it():
    made = Made().send("a", 0).send("b", 1).poll((0, "a"), (1, "b")).poll((1, "b"), process="m", group="g")
    assert made.commit(2).final().names() == ["group-skip"]


def test_a_group_passes_over_the_first_record_behind_its_offset():
    made = Made().send("a", 0).send("b", 1).poll((0, "a"), (1, "b")).poll((0, "a"), process="m", group="g").commit(1)
    assert made.commit(2).final().names() == ["group-skip"]


def test_what_is_seen_late_is_between_as_well():
    logs = KnownLogs()
    logs.saw(KEY, 0, "a")
    assert logs.between(KEY, -1, 9) == [[0, "a"]]
    logs.saw(KEY, 3, "b")
    assert logs.between(KEY, -1, 9) == [[0, "a"], [3, "b"]]


def test_a_member_commits_what_another_one_has_read():
    made = Made().send("a", 0).send("b", 1).poll((0, "a"), process="m1", group="g").poll((1, "b"), process="m2", group="g")
    assert made.commit(2, "m2").final().names() == []


def test_a_producers_records_are_in_another_order():
    made = Made().send("a", 1).send("b", 0).poll((0, "b"), (1, "a")).final()
    assert made.names() == ["nonmonotonic-send"]
    made = Made().send("a", 1, "p").send("b", 0, "q").poll((0, "b"), (1, "a")).final()
    assert made.names() == [], "two producers have no order"


def test_two_members_with_one_partition():
    made = Made().members("assign", "m1").members("assign", "m2").members("revoke", "m1").members("revoke", "m2")
    assert made.names() == ["ownership"]
    assert Made().members("assign", "m1").members("assign", "m2").names() == ["ownership"]


def test_members_with_different_partitions_or_of_different_groups():
    assert Made().members("assign", "m1", "t-0").members("assign", "m2", "t-1").names() == []
    assert Made().members("assign", "m1").members("assign", "m2", group="h").names() == []


@pytest.mark.parametrize("ending", ["lost", "crash"])
def test_a_member_may_learn_late_that_it_has_lost_a_partition(ending):
    made = Made().members("assign", "m1").members("assign", "m2")
    made = made.members("lost", "m1") if ending == "lost" else made.note("m1", "crash")
    assert made.members("revoke", "m2").names() == []


def test_a_member_that_has_lost_a_partition_commits():
    made = Made().send("a", 0).members("assign", "m1").poll((0, "a"), process="m1", group="g").members("assign", "m2")
    made.commit(1, "m1").members("lost", "m1").members("revoke", "m2")
    assert made.final().names() == ["zombie-commit"]


def test_a_commit_that_was_begun_before_may_be_acknowledged_late():
    made = Made().send("a", 0).members("assign", "m1").poll((0, "a"), process="m1", group="g").commit(1, "m1", type=None)
    made.members("assign", "m2").note("m1", "commit", key=KEY, group="g", offset=1).members("lost", "m1")
    assert made.members("revoke", "m2").final().names() == []


@pytest.mark.parametrize("type", ["fail", "info"])
def test_a_commit_that_was_not_acknowledged_promises_nothing(type):
    made = Made().send("a", 0).poll((0, "a"), process="m", group="g").commit(1, type=type)
    assert made.committed(-1).final().names() == []
    assert made.committed(1).names() == []


def test_a_groups_offset_goes_back():
    made = Made().send("a", 0).send("b", 1).poll((0, "a"), (1, "b"), process="m", group="g").commit(1).commit(2)
    made.final()
    assert made.committed(1).names() == ["committed-regressed"]
    assert made.committed(-1).names() == ["committed-regressed"]


def test_a_commit_while_the_question_is_under_way_may_be_missed():
    made = Made().send("a", 0).poll((0, "a"), process="m", group="g")
    made.note("x", "committed", "invoke", key=KEY, group="g").commit(1)
    assert made.note("x", "committed", "ok", key=KEY, group="g", offset=-1).final().names() == []


def test_a_groups_offset_that_nobody_committed():
    assert Made().committed(7).names() == ["committed-invented"]


def test_the_end_of_a_partition_goes_back():
    assert Made().end(5).end(4, "other").names() == ["end-regressed"]
    made = Made().note("e1", "end", "invoke", key=KEY).end(5, "e2").note("e1", "end", key=KEY, offset=4)
    assert made.names() == [], "both were asked at the same time"


def test_every_anomaly_is_found_somewhere():
    """Each name of the table is asked for by a test above."""
    source = open(__file__).read()
    assert [name for name in ANOMALIES if source.count(f'"{name}"') < 1] == []


def test_a_value_sent_twice_is_no_history():
    with pytest.raises(AssertionError, match="sent twice"):
        analyse(Made().send("a", 0).send("a", 1).events)


def _walk(seed):
    """A cluster that does everything right, with clients that are interrupted all the time."""
    chance = random.Random(seed)
    made, log, number = Made(), {"t-0": [], "t-1": []}, 0
    position, owner, committed = {}, {}, {}
    for _ in range(400):
        key = chance.choice(sorted(log))
        step = chance.randrange(6)
        if step <= 1:
            number += 1
            value, fate = f"v{number}", chance.choice(["ok", "ok", "ok", "info", "fail"])
            offset = None
            if fate == "ok" or fate == "info" and chance.random() < 0.5:
                log[key] += [None] * chance.randrange(2) + [value]
                offset = len(log[key]) - 1
            made.send(value, offset, f"p{chance.randrange(2)}", fate, key)
        elif step == 2:
            member = f"m{chance.randrange(2)}"
            if owner.get(key) not in (None, member):
                made.members("revoke", owner[key], key)
            made.members("assign", member, key)
            owner[key], position[key] = member, max(0, committed.get(key, -1))
            made.committed(committed.get(key, -1), member, key)
        elif step == 3 and key in owner:
            count = chance.randrange(1, 5)
            records = [(o, v) for o, v in enumerate(log[key]) if o >= position[key] and v][:count]
            if records:
                made.poll(*records, process=owner[key], key=key, group="g")
                position[key] = records[-1][0] + 1
        elif step == 4 and position.get(key):
            made.commit(position[key], owner[key], key=key, type="ok")
            committed[key] = position[key]
        elif step == 5:
            made.end(len(log[key]), key=key)
    for key in sorted(log):
        made.poll(*[(o, v) for o, v in enumerate(log[key]) if v], process="final", key=key).final(key)
    return made, log


@pytest.mark.parametrize("seed", range(30))
def test_right_clusters_are_never_accused(seed):
    made, _ = _walk(seed)
    assert analyse(made.events) == []
    assert analyse(made.events) == analyse(made.events)


@pytest.mark.parametrize("seed", range(30))
def test_a_record_that_is_taken_away_is_always_missed(seed):
    """Whatever else happened: an acknowledged record that nobody is shown is a finding."""
    made, _ = _walk(seed)
    acknowledged = [event["value"] for event in made.events if event["f"] == "send" and event["type"] == "ok"]
    taken = random.Random(seed).choice(acknowledged)
    for event in made.events:
        if event["f"] == "poll":
            event["records"] = [record for record in event["records"] if record[1] != taken]
    assert {"lost-write", "unseen"} & {finding.name for finding in analyse(made.events)}


def test_errors_are_unknown_unless_the_table_says_better():
    assert outcome_of("_MSG_TIMED_OUT") == outcome_of("SOMETHING_NEW") == "info"
    assert outcome_of("_QUEUE_FULL") == "fail"
    failed = [name for name, outcome in read_table(TABLE.read_text()).items() if outcome == "fail"]
    assert failed == ["_QUEUE_FULL", "_INVALID_ARG"], "a new one needs a review"


def test_what_produce_refuses_is_certain(tmp_path):
    from sending import Sending

    sending = Sending("p", "127.0.0.1:1", tmp_path / "history", "topic", 1, {"queue.buffering.max.messages": 1})
    sending.begin()
    sending.send()
    sending.send()
    assert (sending.tally, sending.errors) == ({"ok": 0, "fail": 1, "info": 0}, {"_QUEUE_FULL": 1})
    sending.end_life()
    assert (sending.tally["fail"], sending.tally["info"]) == (1, 1), "the queued one is unknown"


def test_the_table_names_errors_of_librdkafka():
    import confluent_kafka

    known = {value for name, value in vars(confluent_kafka.KafkaError).items() if isinstance(value, int)}
    names = {confluent_kafka.KafkaError(code).name() for code in known}
    assert [name for name in read_table(TABLE.read_text()) if name not in names] == []


@pytest.mark.parametrize("line", ["X\tfailed\t", "X\tmaybe\tr", "X\tfailed\tr\nX\tfailed\tr", "X failed r"])
def test_a_table_that_is_no_table(line):
    with pytest.raises((AssertionError, KeyError, ValueError)):
        read_table(line)
