"""The stage itself: what is started answers, goes on after a kill, and is gone at the end."""

import base64
import smtplib

import pytest

from stage import Stage

DEMO = "stage"


def test_a_broker_keeps_its_topics_over_a_kill(stage):
    broker = stage.broker()
    broker.create_topic("orders", partitions=3)
    broker.kill()
    broker.start()
    assert len(broker.describe_topic("orders")["partitions"]) == 3


def test_a_database_keeps_its_rows_over_a_kill(stage):
    database = stage.postgresql("shop")
    database.query("CREATE TABLE things (name text)")
    database.query("INSERT INTO things VALUES ('lamp')")
    database.kill()
    database.start()
    assert database.query("SELECT name FROM things") == [["lamp"]]


def test_a_mail_server_takes_what_it_does_not_refuse(stage):
    mail = stage.mail_server()
    mail.refuse("nobody", "550 5.1.1 no such mailbox")
    with smtplib.SMTP(mail.host, mail.port) as client:
        client.starttls()
        client.ehlo()
        # smtplib itself sends names and passwords in ASCII only.
        assert client.docmd("AUTH", "PLAIN " + _plain(mail.user, mail.password))[0] == 235
        client.sendmail("shop@example.org", "you@example.org", "Subject: hello\r\n\r\nthere\r\n")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("shop@example.org", "nobody@example.org", "Subject: hello\r\n\r\n")
    assert [each["to"] for each in mail.mails()] == [["you@example.org"]]


def test_whatever_was_started_is_gone_at_the_end():
    with Stage("gone", tells=False) as stage:
        broker, database = stage.broker(), stage.postgresql("shop")
    assert not broker.is_running and not database.is_running
    assert not stage.folder.exists()


def _plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()
