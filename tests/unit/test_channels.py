"""E-mail and webhooks against real servers: what arrives, what is refused, what is not reached."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from genoflow.events.notification_failed import NotificationFailed
from genoflow.processors.adapters.public_network import (
    ADDRESSES_MAX,
    PublicNetwork,
    is_public,
)
from genoflow.processors.adapters.smtp import MailServer, SmtpMail
from genoflow.processors.adapters.webhook import SignedWebhooks
from genoflow.processors.ports import Hook, Letter, Undelivered
from tests.fakes import FakeClock
from tests.receivers import NEVER, certified, mailbox, receiver

OLD, NEW = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
ID = UUID(int=9)
BODY = '{"type":"QcFailed"}'
CODES = set(NotificationFailed.model_fields["reason_code"].metadata[0].allowed)


def hooks(*addresses: str, allowed: Sequence[str] = (), seconds_max: float = 10) -> SignedWebhooks:
    """Webhooks that are signed by both secrets; every name has these addresses."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise socket.gaierror("no such name")
        return addresses

    network = PublicNetwork(allowed, resolve=resolve)
    return SignedWebhooks(
        lambda _: (NEW, OLD), allowed_hosts=allowed, network=network, seconds_max=seconds_max
    )


def hook(url: str) -> Hook:
    """Something to tell."""
    return Hook(ID, url, BODY, ("S",))


def now() -> datetime:
    """The library that verifies looks at the clock of the machine."""
    return datetime.now(UTC)


async def refused(webhooks: SignedWebhooks, url: str) -> Undelivered:
    """Why a hook was not taken."""
    with pytest.raises(Undelivered) as caught:
        await webhooks.post(hook(url), now())
    assert caught.value.reason_code in CODES
    assert url not in str(caught.value)
    return caught.value


OURS = ("127.0.0.1", "hooks.lab")


# -- what arrives


async def test_a_receiver_can_verify_what_it_is_sent_by_either_secret() -> None:
    async with receiver(204) as there:
        webhooks = hooks("127.0.0.1", allowed=OURS)
        assert await webhooks.post(hook(f"http://hooks.lab:{there.port}/hook?a=1"), now()) == 204
    [request] = there.requests
    assert request.line == "POST /hook?a=1 HTTP/1.1"
    assert request.headers["host"] == f"hooks.lab:{there.port}"
    assert request.headers["webhook-id"] == str(ID)
    assert request.headers["content-type"] == "application/json"
    assert request.body == BODY.encode()
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(request.body, request.headers) == {"type": "QcFailed"}
    with pytest.raises(WebhookVerificationError):
        Webhook(base64.b64encode(b"another secret").decode()).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body + b" ", request.headers)


async def test_a_repetition_carries_the_same_id() -> None:
    async with receiver() as there:
        webhooks = hooks("127.0.0.1", allowed=OURS)
        for _ in range(2):
            await webhooks.post(hook(there.url), now())
    assert [one.headers["webhook-id"] for one in there.requests] == [str(ID), str(ID)]


@pytest.mark.parametrize(
    ("code", "reason_code", "is_lasting"),
    [
        (410, "gone", True), (400, "refused", False), (404, "refused", False),
        (429, "refused", False), (500, "server error", False), (503, "server error", False),
    ],
)  # fmt: skip
async def test_every_other_answer_has_its_reason(
    code: int, reason_code: str, is_lasting: bool
) -> None:
    async with receiver(code) as there:
        error = await refused(hooks("127.0.0.1", allowed=OURS), there.url)
    assert (error.response_code, error.reason_code) == (code, reason_code)
    assert error.is_lasting is is_lasting


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(code: int) -> None:
    async with receiver() as inner, receiver(code, f"location: {inner.url}\r\n") as there:
        error = await refused(hooks("127.0.0.1", allowed=OURS), there.url)
    assert (error.response_code, error.reason_code) == (code, "refused")
    assert "redirects are not followed" in str(error)
    assert inner.connections == 0


async def test_a_receiver_that_never_answers_is_not_waited_for() -> None:
    async with receiver(NEVER) as there:
        error = await refused(hooks("127.0.0.1", allowed=OURS, seconds_max=0.2), there.url)
    assert (error.reason_code, error.response_code) == ("no answer", None)
    assert len(there.requests) == 1


async def test_nobody_there_is_no_answer() -> None:
    async with receiver() as there:
        pass
    error = await refused(hooks("127.0.0.1", allowed=OURS), there.url)
    assert error.reason_code == "no answer"
    error = await refused(hooks(allowed=OURS), "https://nowhere.example/hook")
    assert (error.reason_code, error.is_lasting) == ("no answer", False)


async def test_a_checked_address_has_to_prove_the_name(tmp_path: Path) -> None:
    server, client = certified("hooks.lab", tmp_path)

    async def posts(host: str, context: ssl.SSLContext | None) -> int:
        async def resolve(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        network = PublicNetwork((host,), resolve=resolve)
        webhooks = SignedWebhooks(
            lambda _: (NEW,), allowed_hosts=(host,), network=network, context=context
        )
        return await webhooks.post(hook(f"https://{host}:{there.port}/"), now())

    async with receiver(tls=server) as there:
        assert await posts("hooks.lab", client) == 200
        for host, context in (("other.lab", client), ("hooks.lab", None)):
            with pytest.raises(Undelivered, match="gave no answer"):
                await posts(host, context)
    assert len(there.requests) == 1


# -- what is not reached

PRIVATE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_no_private_address_is_reached_by_any_name(address: str) -> None:
    assert not is_public(address)
    async with receiver() as there:
        for addresses in ((address,), ("93.184.216.34", address)):
            url = f"https://hooks.example:{there.port}/hook"
            error = await refused(hooks(*addresses), url)
            assert (error.reason_code, error.is_lasting) == ("address not allowed", True)
            assert "GENOFLOW_WEBHOOK_HOSTS" in str(error)
    assert there.connections == 0


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_no_spelling_of_this_machine_is_reached(host: str) -> None:
    async with receiver() as there:
        webhooks = SignedWebhooks(lambda _: (NEW,))  # the system's own resolver
        error = await refused(webhooks, f"https://{host}:{there.port}/hook")
    assert error.reason_code in ("address not allowed", "no answer")
    assert there.connections == 0


async def test_a_name_is_resolved_once_and_its_checked_address_is_connected() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with receiver() as there:
        network = PublicNetwork(("hooks.lab",), resolve=rebinding)
        webhooks = SignedWebhooks(lambda _: (NEW,), allowed_hosts=("hooks.lab",), network=network)
        assert await webhooks.post(hook(f"http://hooks.lab:{there.port}/"), now()) == 200
    assert answers == [["10.0.0.1"]]


async def test_http_and_nonsense_are_not_posted_to() -> None:
    many = [f"93.184.216.{n}" for n in range(ADDRESSES_MAX + 1)]
    for url in ("http://hooks.example/", "ftp://hooks.example/", "https:///", "https://[x/",
                "https://h\u00f6ks.example/", "file:///etc/passwd", "//x"):  # fmt: skip
        error = await refused(hooks("93.184.216.34"), url)
        assert (error.reason_code, error.is_lasting) == ("address not allowed", True)
    error = await refused(hooks(*many), "https://hooks.example/")
    assert error.reason_code == "address not allowed"


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as there:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await hooks("127.0.0.1", allowed=OURS).post(hook(there.url), now())
    assert (proxy.connections, there.connections) == (0, 1)


# -- e-mail

LETTER = Letter(ID, ("lab@example.org",), "It failed\r\nBcc: x@example.org", "Ünicode.\n.\nEnd.\n")


def mail(port: int, tls: str = "none") -> SmtpMail:
    """Mail over a server on this machine."""
    return SmtpMail(MailServer("127.0.0.1", port, "genoflow@lab.example", tls), FakeClock())


async def not_taken(port: int, tls: str = "none") -> Undelivered:
    """Why a letter was not taken."""
    with pytest.raises(Undelivered) as caught:
        await mail(port, tls).send(LETTER)
    assert caught.value.reason_code in CODES
    return caught.value


async def test_a_letter_arrives_whole_with_its_id() -> None:
    async with mailbox() as there:
        for _ in range(2):
            await mail(there.port).send(LETTER)
    assert there.recipients == ["lab@example.org"] * 2
    for letter in there.letters:
        assert letter["Message-ID"] == f"<{ID}@lab.example>"
        assert letter["Subject"] == "It failed Bcc: x@example.org"
        assert letter["Bcc"] is None
        assert letter["Auto-Submitted"] == "auto-generated"
        payload = letter.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode().split() == ["Ünicode.", ".", "End."]


@pytest.mark.parametrize("where", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "reason_code", "is_lasting"),
    [
        ("550 5.1.1 no such mailbox", "refused", True),
        ("451 4.7.1 greylisted, come again", "server error", False),
    ],
)
async def test_a_server_that_refuses_is_quoted(
    where: str, answer: str, reason_code: str, is_lasting: bool
) -> None:
    async with mailbox(where, answer) as there:
        error = await not_taken(there.port)
    assert (error.reason_code, error.is_lasting) == (reason_code, is_lasting)
    assert error.response_code == int(answer[:3])
    assert answer[4:] in str(error)
    assert there.letters == []


async def test_no_letter_goes_out_in_the_clear_where_tls_was_asked_for() -> None:
    async with mailbox() as there:
        error = await not_taken(there.port, "starttls")
        assert error.reason_code == "no answer"
    assert there.letters == []
    error = await not_taken(there.port)
    assert (error.reason_code, error.is_lasting) == ("no answer", False)
