"""How people are told: the adapter of each channel, as the settings have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genoflow.deploy.settings import Settings

if TYPE_CHECKING:
    from genoflow.processors.channels import Chat, Publisher
    from genoflow.processors.ports import Mail, Webhooks


def open_mail(settings: Settings) -> Mail | None:
    """Where letters are handed in; none where the settings name no server."""
    from genoflow.processors.adapters.smtp import MailServer, SmtpMail  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415

    if settings.smtp is None:
        return None
    host, _, port = settings.smtp.rpartition(":")
    password = settings.smtp_password
    server = MailServer(
        host=host,
        port=int(port),
        sender=settings.smtp_from,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
    )
    return SmtpMail(server, SystemClock())


def open_webhooks(settings: Settings) -> Webhooks:
    """Posts webhooks, signed by the secrets below the home."""
    from genoflow.deploy.webhook_secrets import WebhookSecrets  # noqa: PLC0415
    from genoflow.processors.adapters.webhook import SignedWebhooks  # noqa: PLC0415

    secrets = WebhookSecrets(settings.home)
    return SignedWebhooks(secrets.valid, allowed_hosts=settings.webhook_hosts)


def open_publisher(clients: Callable[[str | None], Any]) -> Publisher:
    """Publishes to Amazon SNS, with a client for each region."""
    from genoflow.processors.adapters.sns import SnsPublisher  # noqa: PLC0415 -- loads boto3

    return SnsPublisher(clients)


def open_chat(settings: Settings) -> Chat:
    """Writes to rooms of Slack."""
    from genoflow.processors.adapters.slack import SlackRooms  # noqa: PLC0415

    return SlackRooms(allowed_hosts=settings.webhook_hosts)
