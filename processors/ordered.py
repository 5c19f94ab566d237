"""What an order names, looked up in the catalog: for a sample's reads and for a case's run."""

from __future__ import annotations

from genoflow.events.errors import Parked
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.processors.ports import CatalogReader

PUBLISH = "publish it with `genoflow catalog publish FILE`, then `genoflow parked requeue`"
PUBLISH_VERSION = "publish a version that does, then `genoflow parked requeue`"


async def profile_of(
    catalog: CatalogReader, whose: str, assay: str, name: str | None
) -> QcProfilePublished:
    """The QC profile that an order names, else that of its assay; Parked where there is none."""
    if name is None:
        profile = await catalog.default_for(QcProfilePublished, assay)
        missing = f"no QC profile is published for its assay {assay!r}"
    else:
        profile = await catalog.find(QcProfilePublished, name)
        missing = f"its order names the QC profile {name!r}, and it is not published"
    if profile is None:
        raise Parked(f"{whose}: {missing}; {PUBLISH}")
    return profile


async def reference_of(catalog: CatalogReader, whose: str, name: str) -> ReferencePublished:
    """The reference that an order names; Parked where it is not published."""
    reference = await catalog.find(ReferencePublished, name)
    if reference is None:
        raise Parked(
            f"{whose}: its order names the reference {name!r}, and none of that name is "
            f"published; {PUBLISH}"
        )
    return reference


async def targets_of(
    catalog: CatalogReader, whose: str, name: str | None, reference: str
) -> TargetSetPublished | None:
    """The regions that an order names, if any; Parked where they are not of its reference."""
    targets = await named_targets(catalog, whose, name)
    if targets is not None and (fault := other_build(targets, reference)):
        raise Parked(f"{whose}: {fault}, then `genoflow parked requeue`")
    return targets


async def named_targets(
    catalog: CatalogReader, whose: str, name: str | None
) -> TargetSetPublished | None:
    """The regions that an order names, if any, of whichever reference they are."""
    if name is None:
        return None
    targets = await catalog.find(TargetSetPublished, name)
    if targets is None:
        raise Parked(
            f"{whose}: its order names the target set {name!r}, and none of that name is "
            f"published; {PUBLISH}"
        )
    return targets


def other_build(targets: TargetSetPublished, reference: str) -> str | None:
    """That regions are those of another reference; None where they are not."""
    if targets.reference == reference:
        return None
    return (
        f"the regions of {targets.document_id!r} are those of {targets.reference}, and the order "
        f"asks for {reference}: positions of one build mean nothing in another; publish the "
        f"regions of {reference} under this name"
    )
