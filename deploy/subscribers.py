"""Subscriptions as the API asks for them: the command line's own rules, and its own secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from genoflow.api.desks import Subscribed
from genoflow.deploy.settings import Settings
from genoflow.deploy.subject import LogSubjects
from genoflow.deploy.subscriptions import (
    LogSubscriptions,
    check_new,
    check_target,
    check_types,
)
from genoflow.deploy.webhook_secrets import WebhookSecrets
from genoflow.events.log.port import EventLog
from genoflow.events.subscription_created import SubscriptionCreated

# As a request calls the address of each channel.
FIELDS = {
    "email": "email", "webhook": "webhook_url", "sns": "sns_target", "slack": "slack_url",
}  # fmt: skip


class LogSubscribers:
    """Subscribers over the log, and over the secrets below the home."""

    def __init__(self, log: EventLog, settings: Settings) -> None:
        self._reader = LogSubscriptions(log, LogSubjects(log))
        self._hosts = settings.webhook_hosts
        self._secrets = WebhookSecrets(settings.home)

    def event_types(self, names: Sequence[str]) -> tuple[str, ...]:
        """The types of events, each once, all that are told of without one; Refused for another."""
        return check_types(names)

    def target(self, channel: str, target: str) -> str:
        """The address of a channel; Refused where nothing would ever be sent to it."""
        return check_target(channel, target, self._hosts, FIELDS[channel])

    async def are_new(self, facts: Sequence[SubscriptionCreated]) -> bool:
        """Whether they are not on the log yet; Contradicted where others are, under their names."""
        # Two callers at once may go beyond what may be in force by one each: the limit is a tenth
        # of what a reader keeps, so nothing breaks, and the next one is refused.
        known = await self._reader.all()
        news = [check_new(fact, known) for fact in facts]  # each of them, for its refusal
        return any(news)

    async def named(self, subscription_id: str) -> Subscribed | None:
        """The subscription of this name; None where there is none."""
        for one in await self._reader.all():
            if one.created.subscription_id == subscription_id:
                return Subscribed(one.created, one.cancelled is not None)
        return None

    async def secrets_of(self, fact: SubscriptionCreated) -> Sequence[str]:
        """What signs its webhooks: made now, or what was made for it before."""
        return [await asyncio.to_thread(self._secrets.create, name) for name in fact.secret_names]

    async def forget_secrets(self, fact: SubscriptionCreated) -> None:
        """Sign nothing for it any more."""
        for name in fact.secret_names:
            await asyncio.to_thread(self._secrets.remove, name)
