"""The program's own commands against its own broker, at the size of a real file."""

import collections


def test_a_million_lines_keep_their_order_per_key_over_a_restart(own_broker):
    """`ottla produce -k`, a restart, `ottla consume`: the longest test of all, some twenty seconds."""
    broker = own_broker()
    broker.run("topic", "create", "lines", "--partitions", "6")
    count, keys = 1_000_000, 1000
    lines = b"".join(b"key%d\t%d\n" % (number * 7919 % keys, number) for number in range(count))
    broker.run("produce", "lines", "-k", "\\t", input=lines, timeout=120)
    broker.restart()
    output = broker.run("consume", "lines", "--from-beginning", "-e", "-f", "%p %k %s\\n", timeout=120)
    last = collections.defaultdict(lambda: -1)
    partition_of = {}
    seen = 0
    for line in output.splitlines():
        partition, key, value = line.split(b" ")
        number = int(value)
        assert last[key] < number, f"{key!r}: {number} after {last[key]}"
        assert key == b"key%d" % (number * 7919 % keys)
        last[key] = number
        assert partition_of.setdefault(key, partition) == partition
        seen += 1
    assert seen == count
    assert len(set(partition_of.values())) == 6


def test_codecs_headers_and_tombstones(own_broker):
    broker = own_broker()
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = f"t-{codec}"
        broker.run("topic", "create", topic)
        broker.run("produce", topic, "-k", ":", "-Z", "-z", codec, "-H", "h=v", input=b"a:1\nb:\nc:3\n")
        output = broker.run("consume", topic, "--from-beginning", "-e", "-f", "%o %k %s %S\\n")
        assert [line.split()[:2] for line in output.splitlines()] == [[b"0", b"a"], [b"1", b"b"], [b"2", b"c"]]
        assert output.splitlines()[1].split()[-1] == b"-1"


def test_topic_commands(own_broker):
    broker = own_broker()
    broker.run("topic", "create", "one")
    assert b"one" in broker.run("topic", "list")
    assert b"one" in broker.run("topic", "describe", "one")
    broker.run("topic", "delete", "one")
    assert b"one" not in broker.run("topic", "list")


def test_group_commands_see_what_members_did(own_broker):
    broker = own_broker()
    broker.run("topic", "create", "t")
    broker.run("produce", "t", input=b"1\n2\n3\n")
    assert broker.run("consume", "t", "--group", "g", "--from-beginning", "-n", "2") == b"1\n2\n"
    assert b"g" in broker.run("group", "list")
    assert b"t" in broker.run("group", "describe", "g")
    assert broker.run("consume", "t", "--group", "g", "-n", "1") == b"3\n"
