"""Rooms of Slack by its incoming webhooks: who has the address may write, so it is a secret."""

from __future__ import annotations

import json
import ssl
from collections.abc import Collection

from genoflow.processors.adapters.public_network import PublicNetwork
from genoflow.processors.adapters.public_post import POST_SECONDS_MAX, PublicPost, gone, refused
from genoflow.processors.channels import ChatMessage

# The webhook or its team was removed, and the room was put away.
GONE = (404, 410)
# What Slack asks to be written otherwise, so that no text is a mention or a link.
ESCAPED = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


class SlackRooms:
    """Chat over Slack, and over whatever speaks as it does."""

    def __init__(
        self,
        *,
        allowed_hosts: Collection[str] = (),
        network: PublicNetwork | None = None,
        seconds_max: float = POST_SECONDS_MAX,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._post = PublicPost(
            allowed_hosts=allowed_hosts, network=network, seconds_max=seconds_max, context=context
        )

    async def say(self, message: ChatMessage) -> int:
        """Slack's 2xx; Undelivered where it was any other answer, or none."""
        text = message.text
        for letter, written in ESCAPED:
            text = text.replace(letter, written)
        answer = await self._post.post(message.url, (), json.dumps({"text": text}))
        if answer.code in GONE:
            raise gone(answer.code)
        if not 200 <= answer.code < 300:
            raise refused(answer)
        return answer.code
