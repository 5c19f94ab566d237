"""Webhooks as Standard Webhooks has them: signed, thin, bounded, and without a second hop."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from genoflow.processors.adapters.public_network import PublicNetwork
from genoflow.processors.adapters.public_post import POST_SECONDS_MAX, PublicPost, gone, refused
from genoflow.processors.ports import Hook

GONE = 410

Secrets = Callable[[str], Sequence[str]]  # by the secret's name: those that are valid, newest first


class SignedWebhooks:
    """Webhooks over HTTP: the answer's body is never read, and no redirect is followed."""

    def __init__(
        self,
        secrets: Secrets,
        *,
        allowed_hosts: Collection[str] = (),
        network: PublicNetwork | None = None,
        seconds_max: float = POST_SECONDS_MAX,
        context: ssl.SSLContext | None = None,  # the system's certificates where none is given
    ) -> None:
        self._secrets = secrets
        self._post = PublicPost(
            allowed_hosts=allowed_hosts, network=network, seconds_max=seconds_max, context=context
        )

    async def post(self, hook: Hook, at: datetime) -> int:
        """The receiver's 2xx; Undelivered where it was any other answer, or none."""
        answer = await self._post.post(hook.url, self._headers(hook, at), hook.body)
        if answer.code == GONE:
            raise gone(answer.code)
        if not 200 <= answer.code < 300:
            raise refused(answer)
        return answer.code

    def _headers(self, hook: Hook, at: datetime) -> list[tuple[str, str]]:
        name = str(hook.webhook_id)
        keys = [key for secret in hook.secret_names for key in self._secrets(secret)]
        signed = [Webhook(key).sign(name, at, hook.body) for key in keys]
        return [
            ("webhook-id", name),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", " ".join(signed)),
        ]
