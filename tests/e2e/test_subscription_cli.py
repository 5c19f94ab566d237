"""Telling people on real servers: who is told, by whom it is signed, and what a death repeats."""

from __future__ import annotations

import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.events.event import Event
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from tests import qc_facts
from tests.e2e.workers import (
    PATIENCE_SECONDS,
    genoflow,
    happens,
    number_of,
    said,
    settings_of,
    succeeds,
    working,
)
from tests.receivers import Mailbox, Receiver, hosted, mailbox, nothing, receiver

ROWS = ("plan-notifications-sample", "queue-notifications-sample", "deliver", "clock-notification")


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    """A mail server."""
    with hosted(mailbox()) as there:
        yield there


@pytest.fixture(scope="module")
def settings(stack: Addresses, box: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A deployment that may post to this machine."""
    found = settings_of(
        stack, secrets.token_hex(4), tmp_path_factory.mktemp("notify"),
        smtp=f"127.0.0.1:{box.port}", smtp_tls="none", smtp_from="genoflow@lab.example",
        webhook_hosts=("127.0.0.1",),
    )  # fmt: skip
    succeeds(found, "topics", "apply")
    return found


def subscribed(settings: Settings, name: str, there: Receiver, sample: str) -> str:
    """A webhook for failures of one sample; its secret, as it is printed once."""
    out = succeeds(
        settings, "subscription", "create", name, "--webhook", there.url, "--type", "QcFailed",
        "--subject", sample,
    )  # fmt: skip
    found = re.search(r"whsec_\S+", out)
    assert found is not None, out
    return found[0]


def failed(sample: str, number: int = 1) -> Event:
    """The failure of a sample."""
    fact = qc_facts.failed(number)
    return type(fact)(**dict(fact) | {"sample_id": sample})


def test_an_email_and_a_signed_webhook_tell_of_one_failure(
    settings: Settings, box: Mailbox, tmp_path: Path
) -> None:
    """Both carry the id of the notification, and nobody else is told."""
    with hosted(receiver()) as there, working(settings, tmp_path / "log", "--once", *ROWS):
        succeeds(
            settings, "subscription", "create", "mail-1", "--email", "lab@example.org",
            "--type", "QcFailed", "--subject", "N1",
        )  # fmt: skip
        secret = subscribed(settings, "hook-1", there, "N1")
        happens(settings, failed("N1"), failed("N2"))
        [hook] = number_of(settings, NotificationSent, "hook-1", 1)
        [mail] = number_of(settings, NotificationSent, "mail-1", 1)
    [request] = there.requests
    told = Webhook(secret).verify(request.body, request.headers)
    assert (told["type"], told["data"]["subject"]) == ("QcFailed", "N1")
    assert request.headers["webhook-id"] == str(hook.notification_id)
    letters = [one for one in box.letters if "N1" in str(one["Subject"])]
    assert [one["Message-ID"] for one in letters] == [f"<{mail.notification_id}@lab.example>"]
    assert said(settings, NotificationFailed, "hook-1") == []


@pytest.mark.long
def test_a_worker_that_dies_after_the_yes_repeats_the_same_id(
    settings: Settings, box: Mailbox, tmp_path: Path
) -> None:
    """The one repetition that nobody can exclude, by both channels."""
    before = len(box.letters)
    with hosted(receiver()) as there, ExitStack() as stack:
        subscribed(settings, "hook-2", there, "N3")
        succeeds(
            settings, "subscription", "create", "mail-2", "--email", "lab@example.org",
            "--type", "QcFailed", "--subject", "N4",
        )  # fmt: skip
        for sample, name, server in (("N3", "hook-2", there), ("N4", "mail-2", box)):
            first = stack.enter_context(working(settings, tmp_path / "log", "--once", *ROWS))
            server.taken = first.kill
            happens(settings, failed(sample))
            first.wait(PATIENCE_SECONDS)
            server.taken = nothing
            assert said(settings, NotificationSent, name) == []
            with working(settings, tmp_path / "log", "--once", *ROWS):
                [sent] = number_of(settings, NotificationSent, name, 1)
            [queued] = said(settings, NotificationQueued, name)
            assert sent.notification_id == queued.notification_id == queued.envelope.event_id
            ids = (
                [one.headers["webhook-id"] for one in there.requests]
                if server is there
                else [one["Message-ID"] for one in box.letters[before:]]
            )
            assert len(ids) == 2
            assert len(set(ids)) == 1
            assert str(sent.notification_id) in ids[0]


def test_a_failure_is_tried_again_and_410_ends_it(settings: Settings, tmp_path: Path) -> None:
    """The second try comes after five seconds, by a deadline."""
    with (
        hosted(receiver(500)) as there,
        hosted(receiver()) as beside,
        working(settings, tmp_path / "log", "--once", *ROWS),
    ):
        subscribed(settings, "hook-3", there, "N5")
        subscribed(settings, "beside", beside, "N5")  # is told of both: then they are handled
        happens(settings, failed("N5"))
        [first] = number_of(settings, NotificationFailed, "hook-3", 1)
        assert (first.attempt, first.response_code, first.is_final) == (1, 500, False)
        there.code = 410
        [ended] = number_of(settings, SubscriptionCancelled, "hook-3", 1)
        _, last = number_of(settings, NotificationFailed, "hook-3", 2)
        assert (last.attempt, last.reason_code, last.is_final) == (2, "gone", True)
        assert ended.reason_code == "gone"
        happens(settings, failed("N5", 2))
        number_of(settings, NotificationSent, "beside", 2)
    assert len(there.requests) == 2
    assert "hook-3" not in succeeds(settings, "subscription", "list")
    assert "cancelled: gone" in succeeds(settings, "subscription", "show", "hook-3")
    why = succeeds(settings, "subscription", "why", "hook-3")
    assert "was cancelled: gone" in why
    assert "could not be told in try 2" in why
    assert "subscribe under another name with another address" in why


def test_a_secret_is_its_owners_and_is_rotated(settings: Settings, tmp_path: Path) -> None:
    """While both are valid, a receiver that knows either takes the signature."""
    with hosted(receiver()) as there, working(settings, tmp_path / "log", "--once", *ROWS):
        old = subscribed(settings, "hook-4", there, "N6")
        assert old not in succeeds(settings, "subscription", "show", "hook-4")
        path = settings.home / "webhook-secrets" / "hook-4"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        new = succeeds(settings, "subscription", "rotate", "hook-4").split()[-1]
        happens(settings, failed("N6"))
        number_of(settings, NotificationSent, "hook-4", 1)
        succeeds(settings, "subscription", "rotate", "hook-4", "--retire")
        happens(settings, failed("N6", 2))
        number_of(settings, NotificationSent, "hook-4", 2)
    both, alone = there.requests
    for secret in (old, new):
        Webhook(secret).verify(both.body, both.headers)
    assert len(alone.headers["webhook-signature"].split()) == 1
    Webhook(new).verify(alone.body, alone.headers)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--webhook", "http://example.org/"), "is not https"),
        (("--webhook", "https://10.0.0.1/"), "names an address that is not public"),
        (("--webhook", "https://localhost/"), "names an address that is not public"),
        (("--webhook", "https://u:p@example.org/"), "holds a user"),
        (("--webhook", "nonsense"), "is no http(s) URL"),
        (("--email", "nobody"), "is no address"),
        (("--email", "a@x.org", "--type", "FileLanded"), "nobody is told of it"),
        (("--email", "a@x.org", "--subject", "MRN-1234567"), "an identifier of a person"),
        ((), "name one channel"),
        (("--email", "a@x.org", "--webhook", "https://example.org/"), "name one channel"),
    ],
)
def test_what_could_never_be_told_is_refused(
    settings: Settings, words: tuple[str, ...], reason: str
) -> None:
    done = genoflow(settings, "subscription", "create", "wrong", *words)
    assert done.returncode == 1
    assert reason in done.stderr
    assert said(settings, NotificationQueued, "wrong") == []


def test_names_are_not_used_again(settings: Settings) -> None:
    words = ("subscription", "create", "once", "--email", "a@example.org", "--project", "P1")
    assert "created" in succeeds(settings, *words)
    assert "stands on the log already" in succeeds(settings, *words)
    assert "other wishes" in genoflow(settings, *words, "--subject", "N1").stderr
    cancel = ("subscription", "cancel", "once", "--reason", "left the lab")
    assert succeeds(settings, *cancel, "--dry-run") == "once: would be cancelled\n"
    assert succeeds(settings, *cancel) == "once: cancelled\n"
    assert "was cancelled before (left the lab)" in succeeds(settings, *cancel)
    assert "was cancelled; names are never used again" in genoflow(settings, *words).stderr
    assert "no such subscription" in genoflow(settings, "subscription", "show", "two").stderr
