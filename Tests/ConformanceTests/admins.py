"""Admin clients: as they are on one node, and patient where brokers are killed.

An admin call whose answer is lost is for the program to make again, and what it has done may be done already. And while all that one
broker says after its answer includes the change, as tests rely on, others learn of it a moment later.
"""

import concurrent.futures
import itertools
import re

import kafka.errors
from confluent_kafka import KafkaError, KafkaException

from faults import passes
from wire import W

_marks = itertools.count(1)

# What a call that is made again is told where its lost attempt had done it.
_DONE_ALREADY = {
    "create_topics": KafkaError.TOPIC_ALREADY_EXISTS, "delete_topics": KafkaError.UNKNOWN_TOPIC_OR_PART,
    "create_partitions": KafkaError.INVALID_PARTITIONS, "delete_consumer_groups": KafkaError.GROUP_ID_NOT_FOUND,
}
_READS = ("describe_", "list_")


def code_of(error):
    if isinstance(error, KafkaException):
        return error.args[0].code()
    return getattr(error, "errno", None)


def errors_in(value):
    """Errors that stand in an answer instead of being raised: each client has its own ways."""
    if isinstance(value, dict):
        if isinstance(value.get("error_code"), int) and value["error_code"]:
            yield kafka.errors.for_code(value["error_code"])()
        for part in value.values():
            yield from errors_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from errors_in(part)
    elif isinstance(value, type) and issubclass(value, kafka.errors.KafkaError):
        yield value()
    elif isinstance(value, kafka.errors.KafkaError):
        yield value
    elif isinstance(value, str) and (found := re.match(r"\[Error (\d+)\]", value)):
        yield kafka.errors.for_code(int(found[1]))()
    else:
        yield from getattr(value, "errors", None) or []
        for place in getattr(value, "topic_partitions", None) or []:
            if place.error:
                yield KafkaException(place.error)


class PatientAdmin:
    """confluent-kafka's or kafka-python's admin client; each call is made again while its errors pass.

    After a change it waits until every broker that runs knows of it.
    """

    def __init__(self, broker, client, renew=None):
        """With `renew` a call that is made again is another client's."""
        self.broker, self.client, self.renew = broker, client, renew

    def __getattr__(self, name):
        def call(*arguments, **options):
            return getattr(self.client, name)(*arguments, **options)

        def patiently(*arguments, **options):
            first = _started(call, arguments, options)
            if isinstance(first, dict) and first and all(isinstance(each, concurrent.futures.Future) for each in first.values()):
                # One call for each key cannot be made again; tests ask for one thing at a time.
                (key,) = first
                return {key: _Again(self, name, lambda: next(iter(call(*arguments, **options).values())), first[key])}
            if isinstance(first, concurrent.futures.Future):
                return _Again(self, name, lambda: call(*arguments, **options), first)
            return self.outcome(name, lambda: call(*arguments, **options), first)

        return patiently

    def close(self):
        self.client.close()

    def outcome(self, name, call, first):
        """What comes of a call in the end; `first` is its first attempt, made already: a value, an error, or a function to ask."""
        attempts = 0

        def is_done(error):
            return name in _DONE_ALREADY and code_of(error) == _DONE_ALREADY[name]

        def attempt():
            nonlocal attempts, first
            attempts += 1
            try:
                value, first = (first, None) if first is not None else (call(), None)
                if isinstance(value, Exception):
                    raise value
                value = value() if callable(value) else value
                for error in errors_in(value):
                    if passes(error) or attempts > 1 and is_done(error):
                        raise error
                return value
            except (KafkaException, kafka.errors.KafkaError) as error:
                if attempts > 1 and is_done(error):
                    return None
                if self.renew is not None and passes(error):
                    self.client.close()
                    self.client = self.renew()
                raise

        value = self.broker.patiently(attempt)
        if not name.startswith(_READS):
            wait_until_known(self.broker)
        return value


class _Again:
    """In place of a future: asking for its result makes the call again."""

    def __init__(self, admin, name, call, first):
        self.admin, self.name, self.call, self.first = admin, name, call, first

    def result(self, timeout):
        seconds = self.admin.broker.seconds(timeout)
        return self.admin.outcome(self.name, lambda: self.call().result(seconds), lambda: self.first.result(seconds))


def _started(call, arguments, options):
    """The first attempt: what it returned, or its error."""
    try:
        return call(*arguments, **options)
    except (KafkaException, kafka.errors.KafkaError) as error:
        return error


def wait_until_known(broker):
    """Every broker that runs knows of all changes until now: metadata is one log, and each knows of a change that was made later."""
    if not broker.is_shaken:
        return
    mark = str(1_000_000 + next(_marks))
    broker.mark_topic = getattr(broker, "mark_topic", None) or _made(broker, "mark-of-changes")

    def change(connection):
        body = W().i32(1).i8(2).string(broker.mark_topic).i32(1).string("retention.ms").i8(0).string(mark).i8(0).bytes
        reader = connection.ask(44, 0, body)
        reader.i32()
        assert reader.array(lambda r: (r.i16(), r.string(), r.i8(), r.string())) == [(0, None, 2, broker.mark_topic)]

    def known(connection):
        reader = connection.ask(32, 1, W().i32(1).i8(2).string(broker.mark_topic).i32(1).string("retention.ms").i8(0).bytes)
        reader.i32()
        assert (reader.i32(), reader.i16()) == (1, 0)
        reader.string()
        reader.i8()
        reader.string()
        assert reader.i32() == 1
        assert (reader.string(), reader.string()) == ("retention.ms", mark)

    broker.asked(change)
    broker.asked_of_all(known)


def _made(broker, topic):
    broker.create_topic(topic)
    return topic
