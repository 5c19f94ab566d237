"""Who is to be told of what, and of what not any more: written at once, for nobody contradicts it.

A subscription has one channel. A request that names several makes as many of one name, each but the
first with its channel behind it (`.webhook`), and the end of the first ends all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from genoflow.api.desks import Subscribed
from genoflow.api.guard import CallerHere, GuardedRoute, RequestName, asks
from genoflow.api.idempotency import NO_STORE
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission, Role
from genoflow.api.refusal import Refusal
from genoflow.api.writing import Writing, WritingHere
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.budget_reached import BudgetReached
from genoflow.events.errors import Refused
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated

A_SUBSCRIPTION = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"
A_JOB = "5d3a6f6e-1f6b-5c0e-9c55-0a4e9d8f7b21"
# What somebody is told of speaks of all of these.
TOLD_OF = (Permission.SAMPLES_READ, Permission.CASES_READ, Permission.RUNS_READ)

# No partner hears of money, or of what went wrong in the lab.
OF_THE_LAB = (BudgetReached.type(), AlertEscalated.type(), AlertResolved.type())

Channel = Literal["email", "webhook", "sns", "slack"]
CHANNELS: tuple[Channel, ...] = ("email", "webhook", "sns", "slack")
Word = Literal["started", "completed", "failed"]
OF_JOBS: Mapping[Word, tuple[str, ...]] = {
    "started": (RunStarted.type(),),
    "completed": (RunSucceeded.type(),),
    "failed": (RunFailed.type(), RunLost.type()),
}
router = APIRouter(
    prefix="/notifications/subscriptions", tags=["notifications"], route_class=GuardedRoute
)
Id = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[list[Id], Field(max_length=100)]


class SubscriptionIn(BaseModel):
    """Who is told of what; without a filter, of everything."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "job_id": A_JOB, "channels": ["email", "webhook"],
                    "events": ["started", "completed", "failed"],
                    "webhook_url": "https://lab.example/hooks", "email": "lab@example.org",
                },
                {
                    "channels": ["email"], "event_types": ["QcFailed"], "project_ids": ["P1"],
                    "email": "lab@example.org",
                },
            ]
        },
    )  # fmt: skip

    job_id: UUID | None = Field(None, description="only of this job; beside cases and samples")
    case_ids: Ids = Field([], description="only of these cases")
    sample_ids: Ids = Field([], description="only of these samples")
    project_ids: Ids = Field([], description="only of what belongs to these projects")
    channels: list[Channel] = Field(min_length=1, max_length=4)
    events: list[Word] = Field([], max_length=3, description="what becomes of jobs")
    event_types: Ids = Field([], description="types of events; with `events`, both are told of")
    webhook_url: str | None = Field(None, min_length=3, max_length=2_048)
    email: str | None = Field(None, min_length=3, max_length=320)
    sns_target: str | None = Field(
        None,
        min_length=3,
        max_length=400,
        description="the ARN of a topic of Amazon SNS, or a phone as E.164 has it",
    )
    slack_url: str | None = Field(
        None,
        min_length=3,
        max_length=2_048,
        description="of an incoming webhook; never shown whole",
    )
    attempts_max: int = Field(8, ge=1, le=10, description="how often one notification is tried")


class ChannelOut(BaseModel):
    """One channel of a subscription, which is a subscription by itself."""

    subscription_id: str = Field(examples=[A_SUBSCRIPTION])
    channel: Channel
    secret: str | None = Field(
        description="signs its webhooks; told here alone, to who made it", examples=[None]
    )


class SubscribedOut(BaseModel):
    """That somebody is told from now on."""

    subscription_id: str = Field(examples=[A_SUBSCRIPTION])
    status: Literal["active"]
    subscriptions: list[ChannelOut] = Field(description="one by channel, the named one first")


class CancelledOut(BaseModel):
    """That nobody is told any more."""

    subscription_id: str = Field(examples=[A_SUBSCRIPTION])
    status: Literal["cancelled"]


@router.post("", summary="Subscribe", status_code=201, response_model=SubscribedOut)
@asks(Permission.SUBSCRIPTIONS_WRITE)
async def subscribe(
    wish: SubscriptionIn,
    caller: CallerHere,
    called: RequestName,
    writing: WritingHere,
    response: Response,
) -> SubscribedOut:
    """Tell somebody of events, by e-mail, signed webhooks, Amazon SNS or Slack.

    Whoever is told has to be allowed to read samples, cases and runs. The secret of a webhook
    stands in the answer, and nowhere else that the API shows.
    """
    may_subscribe(caller, wish, writing)
    return await subscribed(wish, caller, called, writing, response)


def may_subscribe(caller: Caller, wish: SubscriptionIn, writing: Writing) -> None:
    """A Refusal, or Refused, where this caller may not be told, or nothing would ever be sent."""
    _may_be_told(caller, wish)
    for channel, target in _targets(wish):
        writing.outside.desks.subscribers.target(channel, target)


async def subscribed(
    wish: SubscriptionIn, caller: Caller, called: UUID, writing: Writing, response: Response
) -> SubscribedOut:
    """Say the subscriptions of a wish, once however often a request of this name is sent."""
    desk = writing.outside.desks.subscribers
    types = [*wish.event_types, *(one for word in wish.events for one in OF_JOBS[word])]
    targets = {name: desk.target(name, target) for name, target in _targets(wish)}
    told = _told_to(caller, types, desk.event_types(types))
    facts = _facts(wish, caller, uuid5(called, "subscription"), targets, told)
    is_new = await desk.are_new(facts)
    # The secret comes first: a worker may have something to tell at once.
    secrets = {one.channel: await desk.secrets_of(one) for one in facts}
    if is_new:
        try:
            await writing.say_together([writing.stated(one) for one in facts])
        except Refused:
            for one in facts:
                await desk.forget_secrets(one)
            raise
    if any(secrets.values()):
        response.headers["Cache-Control"] = NO_STORE
    made = [
        ChannelOut(
            subscription_id=one.subscription_id,
            channel=one.channel,
            secret=next(iter(secrets[one.channel]), None),
        )
        for one in facts
    ]
    name = made[0].subscription_id
    return SubscribedOut(subscription_id=name, status="active", subscriptions=made)


def _may_be_told(caller: Caller, wish: SubscriptionIn) -> None:
    for needed in TOLD_OF:
        if not caller.may(needed):
            raise Refusal(
                403, f"notifications tell what {needed} allows to read, and it is not allowed "
                f"here; ask an administrator for it",
                details={"permission": needed.value},
            )  # fmt: skip
        own = caller.sees_only(needed)
        if own is not None and not (wish.project_ids and own.issuperset(wish.project_ids)):
            said = ", ".join(sorted(own)) or "none, so ask an administrator for one"
            raise Refusal(
                403, f"project_ids: a partner is told of its own projects alone: name some of them "
                f"({said})",
                details={"field": "project_ids", "rejected_value": wish.project_ids},
            )  # fmt: skip


def _told_to(caller: Caller, named: Sequence[str], types: Sequence[str]) -> tuple[str, ...]:
    """These types without those that the caller may not hear of; a Refusal where one is named."""
    if caller.may(Permission.MONITORING_READ):
        return tuple(types)
    for one in OF_THE_LAB:
        if one in named:
            raise Refusal(
                403, f"event_types: {one} tells of the lab itself, which "
                f"{Permission.MONITORING_READ} allows to read; leave it out",
                details={"field": "event_types", "rejected_value": one},
            )  # fmt: skip
    return tuple(one for one in types if one not in OF_THE_LAB)


def _targets(wish: SubscriptionIn) -> Iterator[tuple[Channel, str]]:
    known: tuple[tuple[Channel, str, str | None], ...] = (
        ("email", "email", wish.email), ("webhook", "webhook_url", wish.webhook_url),
        ("sns", "sns_target", wish.sns_target), ("slack", "slack_url", wish.slack_url),
    )  # fmt: skip
    for channel, field, target in known:
        if (channel in wish.channels) != (target is not None):
            said = "is missing" if target is None else f"is given, and {channel} is no channel here"
            raise Refusal(
                422, f"{field}: {said}; name the channel and its address, or neither",
                details={"field": field, "rejected_value": None},
            )  # fmt: skip
        if target is not None:
            yield channel, target


def _facts(
    wish: SubscriptionIn,
    caller: Caller,
    name: UUID,
    targets: Mapping[Channel, str],
    types: Sequence[str],
) -> list[SubscriptionCreated]:
    subjects = [*([str(wish.job_id)] if wish.job_id else []), *wish.case_ids, *wish.sample_ids]
    facts = []
    for number, (channel, target) in enumerate(targets.items()):
        called = f"{name}.{channel}" if number else str(name)
        facts.append(
            SubscriptionCreated(
                subscription_id=called,
                account_id=str(caller.account),
                channel=channel,
                target=target,
                event_types=tuple(types),
                subject_keys=tuple(dict.fromkeys(subjects)),
                project_ids=tuple(dict.fromkeys(wish.project_ids)),
                secret_names=(called,) if channel == "webhook" else (),
                attempts_max=wish.attempts_max,
            )
        )
    return facts


@router.delete(
    "/{subscription_id}", summary="End a subscription", response_model=CancelledOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.SUBSCRIPTIONS_WRITE)
async def unsubscribe(
    subscription_id: str,
    caller: CallerHere,
    writing: WritingHere,
    reason: Annotated[
        str, Query(min_length=1, max_length=500, description="why, in words")
    ] = "asked for over the API",
) -> CancelledOut:
    """End a subscription, for its owner or an administrator; what still waits is not sent.

    The id of one with several channels ends them all. One that has ended stays as it is.
    """
    desk = writing.outside.desks.subscribers
    _may_end(caller, subscription_id, await desk.named(subscription_id))
    others = (f"{subscription_id}.{channel}" for channel in CHANNELS)
    named = [await desk.named(name) for name in (subscription_id, *others)]
    ended = [one.created for one in named if one is not None and not one.is_cancelled]
    # Its id comes from the subscription, so two who end it at once say the same fact.
    await writing.say_together([
        writing.stated(
            SubscriptionCancelled(
                subscription_id=one.subscription_id, reason_code="asked for", reason=reason
            )
        )
        for one in ended
    ])  # fmt: skip
    for one in ended:
        await desk.forget_secrets(one)
    return CancelledOut(subscription_id=subscription_id, status="cancelled")


def _may_end(caller: Caller, name: str, found: Subscribed | None) -> None:
    is_own = found is not None and found.created.account_id == str(caller.account)
    if is_own or (found is not None and Role.ADMIN in caller.roles):
        return
    # A partner is not told that another's is there.
    sees_all = caller.roles & (PERMISSIONS[Permission.SUBSCRIPTIONS_READ] - {Role.PARTNER})
    if found is not None and sees_all:
        raise Refusal(403, f"subscription {name}: only its owner or an administrator may end it")
    raise Refusal(
        404, f"subscription {name}: is not known here; /notifications/subscriptions lists what is"
    )
