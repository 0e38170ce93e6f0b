"""Every fact the house announces: small frozen dataclasses with ids, never rows."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WorkflowPublished:
    """A draft became the live version of its workflow."""

    tenant_id: UUID
    workflow_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class WorkflowDraftChanged:
    """A draft has another content than before: edited, undone, done again or replaced."""

    tenant_id: UUID
    workflow_id: UUID


@dataclass(frozen=True, slots=True)
class SampleChanged:
    """An organisation's own template was saved, changed or deleted."""

    tenant_id: UUID
    sample_id: UUID
    change: str


@dataclass(frozen=True, slots=True)
class WorkflowImported:
    """A workflow came in by a file, as a draft that is switched off."""

    tenant_id: UUID
    workflow_id: UUID
    source: str  # nasij or n8n


@dataclass(frozen=True, slots=True)
class WorkflowExported:
    """A definition left the house as a file."""

    tenant_id: UUID
    workflow_id: UUID
    version: int | None  # None: the draft


@dataclass(frozen=True, slots=True)
class PublishAsked:
    """Somebody asked others to agree to a definition before it goes live."""

    tenant_id: UUID
    workflow_id: UUID
    request_id: UUID


@dataclass(frozen=True, slots=True)
class PublishDecided:
    """What became of such a request: approved, rejected, withdrawn or void (the draft was changed)."""

    tenant_id: UUID
    workflow_id: UUID
    request_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class RunMoved:
    """A run that had begun goes on with another version of its workflow."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run was accepted and will be carried out."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run reached its end, well or badly."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID
    status: str  # succeeded, failed, cancelled or timed_out
    started_by: UUID | None


@dataclass(frozen=True, slots=True)
class StepInDoubt:
    """A step was cut off after its effect may have left the house; a person must decide."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID
    node_key: str
    started_by: UUID | None


@dataclass(frozen=True, slots=True)
class ThemePublished:
    """A version of a theme became the look of its tenant."""

    tenant_id: UUID
    theme_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class BulkActionFinished:
    """One verb for many rows of a list is over."""

    tenant_id: UUID
    bulk_id: UUID
    list_name: str
    verb: str
    done: int
    skipped: int
    failed: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person opened a session."""

    person_id: UUID
    tenant_id: UUID | None


@dataclass(frozen=True, slots=True)
class FactorAdded:
    """A person added an authenticator app or a passkey; kind is app or passkey."""

    person_id: UUID
    tenant_id: UUID
    factor_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class FactorRemoved:
    """A person removed an authenticator app or a passkey; kind is app or passkey."""

    person_id: UUID
    tenant_id: UUID
    factor_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class RecoveryCodeUsed:
    """A person proved who they are with one of their recovery codes."""

    person_id: UUID
    tenant_id: UUID | None
    left: int


@dataclass(frozen=True, slots=True)
class SignedInFromNewDevice:
    """A person signed in with a browser that they had not used before."""

    person_id: UUID
    tenant_id: UUID | None
    browser: str
    system: str


@dataclass(frozen=True, slots=True)
class SessionsCrowdedOut:
    """A person signed in once more than is kept; the session that was seen longest ago has ended."""

    person_id: UUID
    tenant_id: UUID | None
    most: int


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A person has another password, by their own hand or by a link in a mail."""

    person_id: UUID
    by_reset: bool


@dataclass(frozen=True, slots=True)
class ProviderChanged:
    """An identity provider of an organisation was added, changed, enabled, disabled or deleted."""

    tenant_id: UUID
    provider_id: UUID
    what: str  # added, changed, enabled, disabled or deleted


@dataclass(frozen=True, slots=True)
class DomainVerified:
    """The DNS says that an organisation speaks for a domain."""

    tenant_id: UUID
    domain_id: UUID
    domain: str


@dataclass(frozen=True, slots=True)
class MemberProvisioned:
    """Somebody became a member because the organisation's own directory said so."""

    tenant_id: UUID
    person_id: UUID
    source: str  # sso or scim


@dataclass(frozen=True, slots=True)
class MemberDeprovisioned:
    """Somebody is a member no more because the organisation's own directory said so."""

    tenant_id: UUID
    person_id: UUID
    source: str  # scim


@dataclass(frozen=True, slots=True)
class ProviderEndedSessions:
    """An identity provider signed somebody out of every browser that came through it."""

    tenant_id: UUID
    provider_id: UUID
    sessions: int


@dataclass(frozen=True, slots=True)
class SupportGranted:
    """A tenant lets staff look for some hours."""

    tenant_id: UUID
    hours: int


@dataclass(frozen=True, slots=True)
class SupportEntered:
    """Somebody of the staff looks at a tenant as one of its members."""

    tenant_id: UUID
    visit_id: UUID


@dataclass(frozen=True, slots=True)
class TokenCreated:
    """A person let a program act for them with an API token."""

    tenant_id: UUID
    token_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class TokenExpiring:
    """An API token is good for only so many days more."""

    tenant_id: UUID
    token_id: UUID
    person_id: UUID
    name: str
    days: int


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    """An API token was ended before its time."""

    tenant_id: UUID
    token_id: UUID
    person_id: UUID
    name: str
    because: str  # person, admin or leak


@dataclass(frozen=True, slots=True)
class ApiClientSignedIn:
    """An API client got a first refresh token."""

    tenant_id: UUID
    client_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class ApiClientSignedOut:
    """All that an API client had was ended."""

    tenant_id: UUID
    client_id: UUID
    person_id: UUID
    name: str
    because: str  # person, admin, leak or reuse


@dataclass(frozen=True, slots=True)
class TenantRegistered:
    """An organisation began, with its first owner."""

    tenant_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class TenantSuspended:
    """An organisation stands still: nobody works in it until it is resumed."""

    tenant_id: UUID


@dataclass(frozen=True, slots=True)
class TenantResumed:
    """An organisation that stood still goes on."""

    tenant_id: UUID
    since: str  # when it began to stand still, as ISO 8601


@dataclass(frozen=True, slots=True)
class TenantClosed:
    """An organisation ended; nobody enters it any more."""

    tenant_id: UUID
    closed_by: UUID | None


@dataclass(frozen=True, slots=True)
class PersonInvited:
    """Somebody was asked by mail to join an organisation."""

    tenant_id: UUID
    invitation_id: UUID
    invited_by: UUID


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """A person became a member of an organisation.

    `invited_by` is None where nobody asked them in.
    """

    tenant_id: UUID
    person_id: UUID
    invited_by: UUID | None


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """A person is no longer a member of an organisation: they left, or `removed_by` took them out."""

    tenant_id: UUID
    person_id: UUID
    removed_by: UUID


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """A member has another role: a built-in one, or `custom` with the organisation's own."""

    tenant_id: UUID
    person_id: UUID
    role: str
    role_id: UUID | None


@dataclass(frozen=True, slots=True)
class AccountLocked:
    """An organisation that asks for lockouts has shut a member's password for some minutes, after too many wrong ones."""

    tenant_id: UUID
    person_id: UUID
    minutes: int


@dataclass(frozen=True, slots=True)
class AccountUnlocked:
    """A lock ended before its time: an admin ended it, or the member chose another password."""

    tenant_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class StuffingSuspected:
    """Passwords are tried at many accounts; kind is network or site. The tenant is the house."""

    tenant_id: UUID
    alarm_id: UUID
    kind: str
    accounts: int
    failures: int


@dataclass(frozen=True, slots=True)
class MemberSignedOut:
    """An admin ended every session of a member in their organisation."""

    tenant_id: UUID
    person_id: UUID
    by_id: UUID


@dataclass(frozen=True, slots=True)
class CalendarChanged:
    """A business calendar was added, changed, made the usual one or deleted, or its holidays were."""

    tenant_id: UUID
    calendar_id: UUID
    what: str  # added, changed, made_usual, deleted, holiday_added or holiday_taken


@dataclass(frozen=True, slots=True)
class SignalSent:
    """Something was told by name to whoever waits for it."""

    tenant_id: UUID
    signal_id: UUID
    name: str
    source: str  # api, run, page or callback


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """A waiting step took a signal, and no other will."""

    tenant_id: UUID
    signal_id: UUID
    run_id: UUID
    node_key: str


@dataclass(frozen=True, slots=True)
class WaitExpired:
    """The moment came until which a step waited."""

    tenant_id: UUID
    run_id: UUID
    step_id: UUID
    node_key: str
    kind: str


@dataclass(frozen=True, slots=True)
class TaskOpened:
    """People are asked to decide."""

    tenant_id: UUID
    task_id: UUID
    run_id: UUID


@dataclass(frozen=True, slots=True)
class TaskDecided:
    """The decision of a task has fallen; `decided_by` gave the last vote."""

    tenant_id: UUID
    task_id: UUID
    run_id: UUID
    outcome: str
    decided_by: UUID


@dataclass(frozen=True, slots=True)
class TaskReminded:
    """Those who may decide a task are told once more that it waits."""

    tenant_id: UUID
    task_id: UUID
    run_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class TaskEscalated:
    """Nobody decided a task in time, so others may decide it too."""

    tenant_id: UUID
    task_id: UUID
    run_id: UUID


@dataclass(frozen=True, slots=True)
class TaskDelegated:
    """A task was handed to somebody; `by` did it, `instead_of` decided no more (None where it only came to them in addition)."""

    tenant_id: UUID
    task_id: UUID
    to: UUID
    by: UUID
    instead_of: UUID | None


@dataclass(frozen=True, slots=True)
class TaskExpired:
    """The time of a task was up before its decision fell."""

    tenant_id: UUID
    task_id: UUID
    run_id: UUID


@dataclass(frozen=True, slots=True)
class TriggerChanged:
    """A way in which a workflow starts was added, changed, enabled, disabled, rotated, moved or deleted."""

    tenant_id: UUID
    workflow_id: UUID
    trigger_id: UUID
    what: str  # added, changed, enabled, disabled, rotated, moved or deleted


@dataclass(frozen=True, slots=True)
class LaneLimitChanged:
    """Staff changed what holds for a tenant in a lane: its weight, and how many of its steps may be in hand at once (None: no limit)."""

    tenant_id: UUID
    lane: str
    weight: int
    cap: int | None


@dataclass(frozen=True, slots=True)
class OwnLimitChanged:
    """A tenant limited how many of its own steps may be in hand at once in a lane (None: it took its limit away)."""

    tenant_id: UUID
    lane: str
    cap: int | None


@dataclass(frozen=True, slots=True)
class RunStuck:
    """Nothing of a run lives, and it has not ended: a fault of ours. The tenant is the house."""

    tenant_id: UUID
    organisation_id: UUID
    run_id: UUID


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """A connection to another system was added, changed, limited, rotated or deleted.

    `change` is one of those five words; the secret is in no event.
    """

    tenant_id: UUID
    connection_id: UUID
    kind: str
    change: str


@dataclass(frozen=True, slots=True)
class HistoryBroken:
    """The chain of a run's events is not as it was written; `tenant_id` is the run's, and once more that of the house."""

    tenant_id: UUID
    run_id: UUID
    event: int
    reason: str


@dataclass(frozen=True, slots=True)
class RetentionChanged:
    """Runs of a workflow (None: of all without a rule of their own) are kept for another time."""

    tenant_id: UUID
    workflow_id: UUID | None


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Nothing of a run, a workflow or an organisation may be deleted any more."""

    tenant_id: UUID
    hold_id: UUID
    scope: str


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """What was held may go when its time is over."""

    tenant_id: UUID
    hold_id: UUID
    scope: str
