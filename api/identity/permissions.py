"""Who may do what: one table, and the caller that it is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from genoflow.events.envelope import Actor
from genoflow.events.errors import Refused


class Role(StrEnum):
    """What somebody is in the lab; an account holds any number of them."""

    ADMIN = "admin"
    LAB_TECHNICIAN = "lab_technician"
    BIOINFORMATICIAN = "bioinformatician"
    CLINICIAN = "clinician"
    DATA_STEWARD = "data_steward"
    OPERATOR = "operator"
    PARTNER = "partner"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """What an endpoint asks for; the scopes of a key are some of these."""

    SAMPLES_READ = "samples:read"
    SAMPLES_WRITE = "samples:write"
    HOLDS_WRITE = "holds:write"
    UPLOADS_READ = "uploads:read"
    UPLOADS_WRITE = "uploads:write"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    QC_READ = "qc:read"
    QC_DECIDE = "qc:decide"
    QC_ANALYZE = "qc:analyze"
    PIPELINES_READ = "pipelines:read"
    PIPELINES_WRITE = "pipelines:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    RESULTS_READ = "results:read"
    RESULTS_DECIDE = "results:decide"
    RESULTS_DOWNLOAD = "results:download"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    MONITORING_READ = "monitoring:read"
    ALERTS_DECIDE = "alerts:decide"
    PARKED_READ = "parked:read"
    PARKED_DECIDE = "parked:decide"
    EVENTS_READ = "events:read"
    AUDIT_READ = "audit:read"
    CONFIG_READ = "config:read"
    ACCOUNTS_MANAGE = "accounts:manage"


_ADMIN, _TECH, _BIO, _CLIN, _STEWARD, _OPER, _PARTNER, _AUDIT = Role
_LAB = {_ADMIN, _TECH, _BIO, _CLIN, _STEWARD, _OPER}  # those who work there

PERMISSIONS: Mapping[Permission, frozenset[Role]] = {
    permission: frozenset(roles)
    for permission, roles in {
        Permission.SAMPLES_READ: _LAB | {_PARTNER, _AUDIT},
        Permission.SAMPLES_WRITE: {_ADMIN, _TECH, _STEWARD},
        Permission.HOLDS_WRITE: {_ADMIN, _STEWARD},
        Permission.UPLOADS_READ: _LAB | {_PARTNER, _AUDIT},
        Permission.UPLOADS_WRITE: {_ADMIN, _TECH, _BIO, _PARTNER},
        Permission.CASES_READ: _LAB | {_PARTNER, _AUDIT},
        Permission.CASES_WRITE: {_ADMIN, _TECH, _CLIN},
        Permission.QC_READ: _LAB | {_AUDIT},
        Permission.QC_DECIDE: {_ADMIN, _BIO, _CLIN},
        Permission.QC_ANALYZE: {_ADMIN, _TECH, _BIO, _CLIN},
        Permission.PIPELINES_READ: _LAB | {_AUDIT},
        Permission.PIPELINES_WRITE: {_ADMIN, _BIO},
        Permission.RUNS_READ: _LAB | {_PARTNER, _AUDIT},
        Permission.RUNS_WRITE: {_ADMIN, _BIO, _OPER},
        Permission.RESULTS_READ: {_ADMIN, _BIO, _CLIN, _STEWARD, _PARTNER, _AUDIT},
        Permission.RESULTS_DECIDE: {_ADMIN, _CLIN},
        Permission.RESULTS_DOWNLOAD: {_ADMIN, _BIO, _CLIN},
        Permission.SUBSCRIPTIONS_READ: _LAB | {_PARTNER, _AUDIT},
        Permission.SUBSCRIPTIONS_WRITE: _LAB | {_PARTNER},
        Permission.MONITORING_READ: _LAB | {_AUDIT},
        Permission.ALERTS_DECIDE: {_ADMIN, _TECH, _BIO, _OPER},
        Permission.PARKED_READ: {_ADMIN, _BIO, _STEWARD, _OPER, _AUDIT},
        Permission.PARKED_DECIDE: {_ADMIN, _OPER},
        Permission.EVENTS_READ: {_ADMIN, _BIO, _STEWARD, _OPER, _AUDIT},
        Permission.AUDIT_READ: {_ADMIN, _STEWARD, _AUDIT},
        Permission.CONFIG_READ: {_ADMIN},
        Permission.ACCOUNTS_MANAGE: {_ADMIN},
    }.items()
}


class Access(StrEnum):
    """What an endpoint asks for where it is no permission."""

    PUBLIC = "public"  # health, login, refresh and the description of the API: nothing else
    SIGNED_IN = "signed in"  # what concerns the caller alone


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the account, what it may do, and how it showed who it is."""

    account: UUID
    username: str
    roles: frozenset[Role]
    scopes: frozenset[Permission]  # of a key; every permission for a session
    via: Literal["session", "key"]
    via_id: UUID  # the session or the key
    projects: frozenset[str] = frozenset()  # that are shown to it where it is a partner only

    def may(self, permission: Permission) -> bool:
        """Whether a role of the account allows it, and the key too where one is used."""
        return permission in self.scopes and not PERMISSIONS[permission].isdisjoint(self.roles)

    def sees_only(self, permission: Permission) -> frozenset[str] | None:
        """The projects whose rows it may see under this permission; None where it may see all."""
        by_work = PERMISSIONS[permission] - {Role.PARTNER}
        return None if self.roles & by_work else self.projects

    @property
    def actor(self) -> Actor:
        """Who stands in the envelope of what this caller does: a person, or a program for one."""
        if self.via == "session":
            return Actor(kind="person", id=str(self.account))
        return Actor(kind="service", id=f"key-{self.via_id}", on_behalf_of=str(self.account))


_ROLES = {role.value: role for role in Role}


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """The roles of these names; one that this release does not know allows nothing."""
    return frozenset(_ROLES[name] for name in names if name in _ROLES)


def role_named(name: str) -> Role:
    """The role of this name; Refused where there is none."""
    try:
        return Role(name.replace("-", "_").replace(" ", "_"))
    except ValueError as error:
        raise Refused(f"{name!r}: is no role; there are {', '.join(Role)}") from error


def scopes_named(names: Iterable[str]) -> tuple[Permission, ...]:
    """The permissions of these names, each once; Refused where one is none, or none is named."""
    try:
        found = tuple(dict.fromkeys(Permission(name) for name in names))
    except ValueError as error:
        raise Refused(f"{error}; a scope is one of {', '.join(Permission)}") from error
    if not found:
        raise Refused(f"a key needs a scope: one of {', '.join(Permission)}")
    return found
