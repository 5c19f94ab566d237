"""`genoflow subscription create | cancel | list | show | rotate`: who wants to be told of what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.ask import answered
from genoflow.deploy.commands.options import AS, DRY_RUN, REASON
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from genoflow.deploy.answers import Answers
    from genoflow.deploy.subscriptions import LogSubscriptions, Subscription
    from genoflow.events.event import Event
    from genoflow.events.log.port import EventLog
    from genoflow.events.subscription_created import SubscriptionCreated


@click.group()
def subscription() -> None:
    """Say who is told of what: by e-mail, signed webhooks, Amazon SNS or Slack."""


@subscription.command()
@click.argument("name", metavar="NAME")
@click.option("--email", help="the address of a mailbox")
@click.option("--webhook", help="the https:// address of a receiver")
@click.option("--sns", help="the ARN of a topic of Amazon SNS, or a phone as +491701234567")
@click.option("--slack", help="the https:// address of an incoming webhook of Slack")
@click.option("--type", "types", multiple=True, help="a type of event, such as QcFailed")
@click.option("--subject", "subjects", multiple=True, help="a sample, case, run: only these")
@click.option("--project", "projects", multiple=True, help="only what belongs to these")
@click.option("--account", help="to which account it belongs; --as otherwise")
@click.option("--attempts", type=click.IntRange(1, 10), default=8, show_default=True)
@AS
@DRY_RUN
def create(
    name: str,
    email: str | None,
    webhook: str | None,
    sns: str | None,
    slack: str | None,
    types: tuple[str, ...],
    subjects: tuple[str, ...],
    projects: tuple[str, ...],
    account: str | None,
    attempts: int,
    person: str | None,
    dry_run: bool,
) -> None:
    """Subscribe under NAME to events of these types, all of them where none is named.

    The secret of a webhook is printed once, and kept below GENOFLOW_HOME for the workers. Creating
    the same subscription again changes nothing.
    """
    from genoflow.deploy.people import os_user
    from genoflow.deploy.subscriptions import check_target, check_types
    from genoflow.events.subscription_created import SubscriptionCreated

    settings = read_settings()
    channels = {"email": email, "webhook": webhook, "sns": sns, "slack": slack}
    named = [(channel, target) for channel, target in channels.items() if target is not None]
    if len(named) != 1:
        raise Refused(
            "name one channel: --email ADDRESS, --webhook URL, --sns ARN-OR-PHONE or --slack URL"
        )
    [(channel, said)] = named
    target = check_target(channel, said, settings.webhook_hosts, f"--{channel}")
    fact = SubscriptionCreated(
        subscription_id=name,
        account_id=account or person or os_user(),
        channel=channel,
        target=target,
        event_types=check_types(types),
        subject_keys=subjects,
        project_ids=projects,
        secret_names=(name,) if channel == "webhook" else (),
        attempts_max=attempts,
    )
    asyncio.run(_create(settings, fact, person, dry_run))


async def _create(
    settings: Settings, fact: SubscriptionCreated, person: str | None, dry_run: bool
) -> None:
    from genoflow.deploy.subscriptions import check_new
    from genoflow.deploy.webhook_secrets import WebhookSecrets

    name = fact.subscription_id
    async with open_log(settings) as log:
        said = _checked(settings, fact, person)
        is_new = check_new(fact, await _reader(log).all())
        if dry_run or not is_new:
            click.echo(f"{name}: {'would be created' if is_new else 'stands on the log already'}")
            return
        # The secret comes first: a worker may have something to tell at once.
        keys = [WebhookSecrets(settings.home).create(one) for one in fact.secret_names]
        await log.append(said)
    click.echo(f"{name}: created, {fact.channel}, {_wishes(fact)}")
    for key in keys:
        click.echo(f"its secret, for the receiver: {key}")


@subscription.command()
@click.argument("name", metavar="NAME")
@REASON
@AS
@DRY_RUN
def cancel(name: str, reason: str, person: str | None, dry_run: bool) -> None:
    """End a subscription; what still waits for it is not sent any more."""
    asyncio.run(_cancel(read_settings(), name, reason, person, dry_run))


async def _cancel(
    settings: Settings, name: str, reason: str, person: str | None, dry_run: bool
) -> None:
    from genoflow.deploy.webhook_secrets import WebhookSecrets
    from genoflow.events.subscription_cancelled import SubscriptionCancelled

    async with open_log(settings) as log:
        found = await _find(log, name)
        if found.cancelled is not None:
            click.echo(f"{name}: was cancelled before ({found.cancelled.reason})")
            return
        fact = SubscriptionCancelled(subscription_id=name, reason_code="asked for", reason=reason)
        said = _checked(settings, fact, person)
        if not dry_run:
            await log.append(said)
            for secret in found.created.secret_names:
                WebhookSecrets(settings.home).remove(secret)
    click.echo(f"{name}: {'would be cancelled' if dry_run else 'cancelled'}")


@subscription.command(name="list")
@click.option("--all", "everything", is_flag=True, help="also those that were cancelled")
def list_subscriptions(everything: bool) -> None:
    """List the subscriptions in force, without their addresses."""
    from genoflow.events.printable import printable

    for one in asyncio.run(_every()):
        if everything or one.cancelled is None:
            fact = one.created
            state = "cancelled" if one.cancelled else "in force"
            line = (fact.subscription_id, state, fact.channel, fact.account_id, _wishes(fact))
            click.echo(printable("  ".join(line)))


async def _every() -> list[Subscription]:
    from genoflow.deploy.subscriptions import subscriptions_of

    return await answered(lambda answers: subscriptions_of(answers.source))


@subscription.command()
@click.argument("name", metavar="NAME")
def show(name: str) -> None:
    """Show a subscription with its address, and why it ended."""
    from genoflow.events.printable import printable
    from genoflow.projections.subscriptions import shown_target

    found = _named(asyncio.run(_every()), name)
    payload = found.created.payload()
    payload["target"] = shown_target(found.created.channel, found.created.target)
    for field, value in payload.items():
        text = ", ".join(value) if isinstance(value, list) else value
        click.echo(printable(f"{field.replace('_', ' ')}: {text or '–'}"))
    if found.cancelled is not None:
        ended = found.cancelled
        click.echo(printable(f"cancelled: {ended.reason_code}, {ended.reason}"))


@subscription.command()
@click.argument("name", metavar="NAME")
def why(name: str) -> None:
    """Say what a subscription was not told of, since when, why, and what to do."""
    from genoflow.events import topics
    from genoflow.events.printable import printable
    from genoflow.projections.asking import subscription as asked

    async def ask() -> asked.Told:
        def events_of(answers: Answers) -> Awaitable[dict[str, list[Event]]]:
            return answers.source.events_of(topics.NOTIFICATION, [name])

        return asked.subscription_of(name, (await answered(events_of))[name])

    for answer in asked.why(asyncio.run(ask())):
        click.echo(printable(answer.about(name)))


@subscription.command()
@click.argument("name", metavar="NAME")
@click.option("--retire", is_flag=True, help="end the time in which the old secret is valid, too")
def rotate(name: str, retire: bool) -> None:
    """Give a webhook a new secret; both sign until the old one is retired.

    Nothing is appended: events name a secret, and its file holds it. Where workers run on several
    machines, copy the file to each of them.
    """
    from genoflow.deploy.webhook_secrets import WebhookSecrets

    settings = read_settings()

    async def run() -> Subscription:
        async with open_log(settings) as log:
            return await _find(log, name)

    names = asyncio.run(run()).created.secret_names
    if not names:
        raise Refused(f"{name}: is told by no webhook, and nothing else is signed")
    kept = WebhookSecrets(settings.home)
    if retire:
        kept.retire(names[0])
        click.echo(f"{name}: the old secret is no longer valid")
        return
    click.echo(f"{name}: the new secret, for the receiver: {kept.rotate(names[0])}")


def _reader(log: EventLog) -> LogSubscriptions:
    from genoflow.deploy.subject import LogSubjects
    from genoflow.deploy.subscriptions import LogSubscriptions

    return LogSubscriptions(log, LogSubjects(log))


async def _find(log: EventLog, name: str) -> Subscription:
    return _named(await _reader(log).all(), name)


def _named(every: Iterable[Subscription], name: str) -> Subscription:
    for one in every:
        if one.created.subscription_id == name:
            return one
    raise Refused(f"{name!r}: there is no such subscription; see `genoflow subscription list`")


def _checked(settings: Settings, fact: Event, person: str | None) -> Event:
    from genoflow.deploy.people import said_by
    from genoflow.processors.intake.privacy import PrivacyGuard

    said = said_by(person, fact, datetime.now(UTC))
    PrivacyGuard(settings.person_patterns).check(said)
    return said


def _wishes(fact: SubscriptionCreated) -> str:
    only = (*fact.subject_keys, *(f"project {name}" for name in fact.project_ids))
    of_these = f" of {', '.join(only)}" if only else ""
    return ", ".join(fact.event_types) + of_these
