"""What each permission is called and means, for people who give roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.core.access import Permission
from portal.i18n.words import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Said:
    """Name and meaning of a permission in the reader's language; `area` groups them on pages."""

    area: Any
    name: Any
    note: Any


_WORK, _DATA, _PEOPLE, _HOUSE = _l("Workflows and runs"), _l("Data and lists"), _l("People"), _l("Organisation")

# By the permission's value. One that is missing here fails the build (tests/whole/test_routes.py).
SAID: dict[str, Said] = {
    "workflow:read": Said(_WORK, _l("See workflows"), _l("Open workflows, their versions and settings.")),
    "workflow:edit": Said(_WORK, _l("Design workflows"), _l("Create, change, pause and delete workflows.")),
    "workflow:publish": Said(_WORK, _l("Publish workflows"), _l("Make a draft the version that runs.")),
    "run:read": Said(_WORK, _l("See runs"), _l("Open every run, with what went in and came out.")),
    "run:start": Said(_WORK, _l("Start runs"), _l("Start published workflows, and cancel or retry one's own runs.")),
    "run:operate": Said(_WORK, _l("Operate all runs"), _l("Cancel, retry and decide for the runs of others.")),
    "task:read": Said(_WORK, _l("See one's tasks"), _l("Open the tasks that one may take or has decided, with the run they belong to.")),
    "task:decide": Said(_WORK, _l("Decide tasks"), _l("Take tasks, decide them, comment on them and hand them on.")),
    "task:manage": Said(_WORK, _l("Manage all tasks"), _l("See everybody's tasks, give them to others and change who may take them.")),
    "signal:send": Said(_WORK, _l("Send signals"), _l("Tell waiting runs that something happened, from a page or a program.")),
    "calendar:edit": Said(_WORK, _l("Manage calendars"), _l("Change working days, hours and holidays.")),
    "file:read": Said(_WORK, _l("Fetch files"), _l("Download the files that runs made or fetched.")),
    "retention:edit": Said(_WORK, _l("Set how long runs are kept"), _l("Change for how many days runs are kept before they are deleted.")),
    "hold:manage": Said(_WORK, _l("Place legal holds"), _l("Keep runs from being deleted, and lift such holds.")),
    "connection:read": Said(_WORK, _l("See connections"), _l("See which connections there are and what uses them, never their secrets.")),
    "connection:use": Said(_WORK, _l("Use connections"), _l("Choose a connection in a step, and publish a workflow that uses one.")),
    "connection:manage": Said(_WORK, _l("Manage connections"), _l("Add, change, test, rotate and delete connections and their secrets.")),
    "table:read": Said(_DATA, _l("See data tables"), _l("Read the rows of all data tables.")),
    "table:edit": Said(_DATA, _l("Edit data tables"), _l("Create data tables and change their columns and rows.")),
    "list:share": Said(_DATA, _l("Share views"), _l("Share saved views of lists with everybody.")),
    "notification:read": Said(_DATA, _l("Read notifications"), _l("Use the bell.")),
    "member:read": Said(_PEOPLE, _l("See members"), _l("See who belongs to the organisation, and its groups and roles.")),
    "member:edit": Said(_PEOPLE, _l("Manage members"), _l("Invite and remove people, and give them roles up to one's own.")),
    "group:edit": Said(_PEOPLE, _l("Manage groups"), _l("Create groups and choose who is in them.")),
    "role:edit": Said(_PEOPLE, _l("Manage roles"), _l("Make roles out of the permissions one has oneself.")),
    "tenant:edit": Said(_HOUSE, _l("Manage the organisation"), _l("Change its names and time zone. Only owners close it.")),
    "theme:edit": Said(_HOUSE, _l("Manage themes"), _l("Change colours, type and logo of the portal.")),
    "security:edit": Said(_HOUSE, _l("Manage security"), _l("Set who needs a second factor, and other rules of signing in.")),
    "sso:edit": Said(_HOUSE, _l("Manage single sign-on"), _l("Connect identity providers and prove domains.")),
    "support:grant": Said(_HOUSE, _l("Allow support"), _l("Let the staff of Nasij look for some hours, and end it.")),
    "token:create": Said(_HOUSE, _l("Use the interface for programs"), _l("Make tokens that act with one's own permissions.")),
    "token:manage": Said(_HOUSE, _l("Manage programs"), _l("See and end everybody's tokens, and let programs in.")),
}


def said(permission: Permission) -> Said:
    """Return what a permission is called."""
    return SAID[permission.value]


def areas() -> list[tuple[Any, list[Permission]]]:
    """Return every permission by area, in the order of pages."""
    found: dict[Any, list[Permission]] = {}
    for value, words in SAID.items():
        if value in set(Permission):
            found.setdefault(words.area, []).append(Permission(value))
    return list(found.items())
