"""What happens to saved views when a member goes."""

from __future__ import annotations

from sqlalchemy import update

from portal import events
from portal.core import db
from portal.core.bus import listen
from portal.identity import service as identity
from portal.lists.models import SavedView


@listen(events.MemberRemoved)
def on_member_removed(event: events.MemberRemoved) -> None:
    """Hand on what the member shared with everybody: to who removed them, or to an owner where they left themselves."""
    heirs = [event.removed_by, *identity.member_ids(event.tenant_id, roles=("owner",))]
    heir = next((each for each in heirs if each != event.person_id), None)
    if heir is None:
        return
    theirs = (SavedView.tenant_id == event.tenant_id) & (SavedView.person_id == event.person_id)
    db.session().execute(update(SavedView).where(theirs, SavedView.is_shared, SavedView.deleted_at.is_(None)).values(person_id=heir))
