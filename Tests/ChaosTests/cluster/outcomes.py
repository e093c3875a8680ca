"""Which errors of delivery reports say that a record was not written: read from the reviewed table beside this file."""

import pathlib

FAILED, UNKNOWN = "fail", "info"
TABLE = pathlib.Path(__file__).with_name("outcomes.tsv")
_WORDS = {"failed": FAILED, "unknown": UNKNOWN}


def read_table(text):
    """{name of the error: outcome}. Every line has a reason."""
    outcomes = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        name, word, reason = line.split("\t")
        assert reason.strip(), f"line {number} has no reason"
        assert name not in outcomes, f"line {number} names {name} again"
        outcomes[name] = _WORDS[word]
    return outcomes


_OUTCOMES = read_table(TABLE.read_text())


def outcome_of(error_name):
    """"fail" for what was not written and never will be; "info" for all that is not known."""
    return _OUTCOMES.get(error_name, UNKNOWN)
