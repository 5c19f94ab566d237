"""Mail over SMTP: a connection for each letter, TLS by default, a bounded wait for each answer."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, parseaddr

import aiosmtplib

from genoflow.processors.ports import Clock, Letter, Undelivered

SMTP_SECONDS_MAX = 10  # of each answer; greeting, TLS and a letter are within the effect's 45 s
SUBJECT_CHARACTERS_MAX = 200  # RFC 5322 folds a line at 78; what is longer nobody reads
ANSWER_CHARACTERS_MAX = 200  # of what a server said, to be shown
LASTING_FROM = 500  # RFC 5321: 4xx may be mended by waiting, 5xx is not


@dataclass(frozen=True, slots=True)
class MailServer:
    """Which server takes our letters, and as whom they are sent."""

    host: str
    port: int
    sender: str
    tls: str = "starttls"  # or tls, from the first byte; or none
    user: str | None = None
    password: str | None = None


class SmtpMail:
    """Mail over a server that relays for us."""

    def __init__(
        self, server: MailServer, clock: Clock, context: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._clock = clock
        self._context = context

    async def send(self, letter: Letter) -> None:
        """Hand it to the server; Undelivered where it does not take it for every receiver."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self._context,
            timeout=SMTP_SECONDS_MAX,
        )
        try:
            async with client:
                await client.send_message(
                    self._written(letter), sender=server.sender, recipients=list(letter.to)
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _refused(refused.code, refused.message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Undelivered(
                f"the mail server {server.host}:{server.port} gave no answer "
                f"({type(error).__name__}); see that it runs and takes our TLS",
                "no answer",
            ) from error

    def _written(self, letter: Letter) -> EmailMessage:
        domain = parseaddr(self._server.sender)[1].rpartition("@")[2]
        message = EmailMessage(policy=WIRE)
        message["From"] = self._server.sender
        message["To"] = ", ".join(letter.to)
        # A line break would begin another header.
        message["Subject"] = " ".join(letter.subject.split())[:SUBJECT_CHARACTERS_MAX]
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{letter.message_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        message.set_content(letter.body)
        return message


def _refused(code: int, answer: str) -> Undelivered:
    said = " ".join(answer.split())[:ANSWER_CHARACTERS_MAX]
    is_lasting = code >= LASTING_FROM
    return Undelivered(
        f"the mail server answered {code}: {said}",
        "refused" if is_lasting else "server error",
        code if code > 0 else None,
        is_lasting=is_lasting,
    )
