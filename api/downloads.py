"""Links by which files of results are fetched from the store itself, for some hours.

A link is given for what may be used: the rows say so, and nothing on the log behind them says
otherwise. What is retracted afterwards can be fetched until the link ends, so links are short, and
each is a fact that says who had it, to which version, and until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.desks import Link, Links, StoredFile
from genoflow.api.guard import GuardedRoute, RequestName, ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import Reading
from genoflow.api.refusal import Refusal
from genoflow.api.results import USABLE, files_of, shown_names
from genoflow.api.services import Services
from genoflow.api.writing import WritingHere
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.projections import results
from genoflow.projections.paging import Found
from genoflow.projections.store import live_position

LINK_HOURS_MAX = 24  # a shift and its night; a store that speaks S3 would allow 168
HOUR_SECONDS = 3_600
LINKS_MAX = 200  # of one answer: each is signed in 1 ms, and 200 facts are one short transaction
REPORTS = "reports"  # everything that is a report, whatever kind of one

router = APIRouter(prefix="/results", tags=["results"], route_class=GuardedRoute)


class LinksIn(BaseModel):
    """Which files, and for how long."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"files": ["vcf", "bam", "reports"], "expiration_hours": 24}]
        },
    )

    files: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        min_length=1, max_length=50,
        description="kinds, or names, as /v1/results/{job_id} shows them; `reports` are all",
    )  # fmt: skip
    sample_ids: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        [], max_length=100, description="only of these samples; none means all, and the case's"
    )
    expiration_hours: int = Field(LINK_HOURS_MAX, ge=1, le=LINK_HOURS_MAX)


class LinkOut(BaseModel):
    """One link, and what it leads to."""

    file_type: str = Field(
        description="its name, as /v1/results/{job_id} shows it", examples=["vcf"]
    )
    sample_id: str | None = Field(description="null where it is of the whole case", examples=["S7"])
    url: str = Field(
        description="whoever has it fetches the file: pass it on to nobody",
        examples=["https://store.example/genoflow-results/cases/C-7/S7.vcf.gz?X-Amz-Expires=86400"],
    )
    expires_at: datetime
    size_bytes: int
    sha256: str = Field(description="of the bytes: compare it with what came")


class LinksOut(BaseModel):
    """Links to files."""

    download_links: list[LinkOut]


@router.post(
    "/{job_id}/download-links", summary="Links to files of results", status_code=201,
    response_model=LinksOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.RESULTS_DOWNLOAD)
async def issue_links(
    job_id: UUID, wish: LinksIn, called: RequestName, services: ServicesHere, writing: WritingHere
) -> LinksOut:
    """Let the caller fetch files that may be used; each link is written down, without its URL."""
    found, known = await _usable(services, job_id)
    if await writing.outside.desks.links.is_withdrawn(job_id, known):
        raise Refusal(
            503, f"job {job_id}: what may be used of it has just changed; ask again",
            code="BEHIND", headers={"Retry-After": "1"},
        )  # fmt: skip
    chosen = _chosen(job_id, found, wish)
    signed = [(name, file, await _signed(writing.outside.desks.links, file, wish))
              for name, file in chosen]  # fmt: skip
    facts = [_fact(job_id, file, link, called) for _, file, link in signed]
    await writing.say_together([writing.stated(fact) for fact in facts])
    return LinksOut(download_links=[_link(name, file, link) for name, file, link in signed])


async def _usable(services: Services, job_id: UUID) -> tuple[list[Found], dict[Any, int]]:
    """The files that may be used, and how far the rows know the log that say so."""
    async with (
        services.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        about = await results.results_of(connection, str(job_id))
        if about is None:
            raise Refusal(
                404, f"job {job_id}: has no results, or not yet; look at /execution/jobs/{job_id}"
            )
        files = await files_of(Reading(connection, {}, None), str(job_id))
        known = await live_position(connection, results.Results.name)
    usable = [one for one in files if one["state"] == USABLE]
    if not usable:
        raise Refusal(409, f"job {job_id}: its results are {about['state']}, and none may be used")
    return usable, known


def _chosen(job_id: UUID, usable: Sequence[Found], wish: LinksIn) -> list[tuple[str, Found]]:
    samples = sorted({one["sample_id"] or "" for one in usable})
    every = [
        named
        for sample in samples
        for named in shown_names(one for one in usable if (one["sample_id"] or "") == sample)
        if not wish.sample_ids or sample in wish.sample_ids
    ]
    for word in wish.files:
        if not any(_means(word, name, file["kind"]) for name, file in every):
            there = ", ".join(sorted({name for name, _ in every})) or "none of these samples"
            raise Refusal(
                422, f"files: job {job_id} has no {word} that may be used; there are {there}",
                details={"field": "files", "rejected_value": word},
            )  # fmt: skip
    chosen = [
        (name, file)
        for name, file in every
        if any(_means(word, name, file["kind"]) for word in wish.files)
    ]
    if len(chosen) > LINKS_MAX:
        raise Refusal(
            422, f"files: these are {len(chosen):,} links, and {LINKS_MAX} are given at once; "
            f"name fewer files, or some of the samples in `sample_ids`",
            details={"field": "files", "rejected_value": None},
        )  # fmt: skip
    return chosen


def _means(word: str, name: str, kind: str) -> bool:
    return word in (name, kind) or (word == REPORTS and kind.endswith("report"))


async def _signed(links: Links, file: Found, wish: LinksIn) -> Link:
    stored = StoredFile(file["bucket"], file["object_key"], file["version_id"])
    return await links.sign(stored, wish.expiration_hours * HOUR_SECONDS)


def _fact(job_id: UUID, file: Found, link: Link, called: UUID) -> DownloadLinkIssued:
    place = f"{file['bucket']}/{file['object_key']}@{file['version_id']}"
    # With its end in the name: a try of unknown outcome that is made again gives another link.
    name = uuid5(called, f"{place} until {link.expires_at.isoformat()}")
    return DownloadLinkIssued(
        run_id=job_id,
        kind=file["kind"],
        sample_id=file["sample_id"],
        bucket=file["bucket"],
        object_key=file["object_key"],
        version_id=file["version_id"],
        sha256=file["sha256"],
        expires_at=link.expires_at,
        request_id=str(name),
    )


def _link(name: str, file: Found, link: Link) -> LinkOut:
    return LinkOut(
        file_type=name,
        sample_id=file["sample_id"],
        url=link.url,
        expires_at=link.expires_at,
        size_bytes=file["size_bytes"],
        sha256=file["sha256"],
    )
