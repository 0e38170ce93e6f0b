"""Edits of a stored draft: revisions, undo and redo, and who was faster."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.core.errors import NotFound
from portal.workflows import definition, queries, service
from portal.workflows.designer import drafts
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.designer.edits import Place
from portal.workflows.errors import DraftInvalid

NODE = {"kind": "set", "name": "Set", "name_ar": "ضبط", "config": {}, "retry": {"attempts": 3}, "timeout_s": 30}


class Draft:
    """A blank workflow of a tenant, edited at the revision it is at."""

    def __init__(self, house):
        self.house = house
        self.by = Actor("person", house.people["builder"])
        with db.transaction(house.id):
            self.id = service.create_workflow(house.id, name="W", name_ar=None, sample="blank", by=self.by)

    def __getattr__(self, verb):
        def act(*given, revision=None, by=None):
            with db.transaction(self.house.id):
                at = self.workflow().draft_revision if revision is None else revision
                return getattr(drafts, verb)(self.house.id, self.id, *given, revision=at, by=by or self.by)

        return act

    def workflow(self):
        return queries.get_workflow(self.house.id, self.id)

    def keys(self):
        with db.transaction(self.house.id):
            return [node["key"] for node in self.workflow().nodes]

    def revision(self):
        with db.transaction(self.house.id):
            return self.workflow().draft_revision

    def history(self):
        with db.transaction(self.house.id):
            return drafts.history(self.workflow())


@pytest.fixture
def draft(tenant):
    return Draft(tenant)


def test_an_edit_is_one_revision_with_derived_edges(draft):
    draft.add_step(NODE, Place())
    draft.add_step(NODE, Place(after="set"))

    with db.transaction(draft.house.id):
        workflow = draft.workflow()
        assert [node["name"] for node in workflow.nodes] == ["Set", "Set 2"]
        assert workflow.edges == definition.edges_of(workflow.nodes) == [{"source": "set", "port": "out", "target": "set_2"}]
        assert workflow.draft_revision == 2


def test_undo_and_redo_walk_the_revisions(draft):
    draft.add_step(NODE, Place())
    draft.delete_step("set")

    assert (draft.undo(), draft.keys()) == ("step.deleted", ["set"])
    assert (draft.undo(), draft.keys()) == ("step.added", [])
    assert (draft.undo(), draft.keys()) == (None, [])
    assert (draft.redo(), draft.keys()) == ("step.added", ["set"])
    assert (draft.redo(), draft.keys()) == ("step.deleted", [])
    assert draft.redo() is None


def test_history_names_what_can_be_undone_and_redone(draft):
    assert (draft.history().undo, draft.history().redo) == (None, None)
    draft.add_step(NODE, Place())
    assert (draft.history().undo, draft.history().redo) == ("step.added", None)
    draft.undo()
    assert (draft.history().undo, draft.history().redo) == (None, "step.added")


def test_an_edit_after_undo_drops_the_tail_and_never_reuses_a_number(draft):
    draft.add_step(NODE, Place())
    dropped = draft.revision()
    draft.undo()
    draft.add_step({**NODE, "kind": "wait"}, Place())

    assert draft.revision() > dropped
    assert draft.redo() is None
    draft.undo()
    assert draft.keys() == []


def test_an_edit_that_changes_nothing_is_no_revision(draft):
    draft.add_step(NODE, Place())
    draft.change_step("set", {"name": "Set"})
    draft.move_step("set", -1)

    assert draft.revision() == 1


def test_who_edits_an_older_revision_is_told_who_was_faster(draft):
    other = Actor("person", draft.house.people["admin"])
    draft.add_step(NODE, Place(), by=other)

    with pytest.raises(DraftChanged) as refused:
        draft.add_step(NODE, Place(), revision=0)

    assert refused.value.status == 409
    assert refused.value.by == other.id
    assert refused.value.at is not None
    assert draft.keys() == ["set"]


def test_publishing_an_older_revision_is_refused(draft):
    draft.add_step(NODE, Place())
    draft.change_step("set", {"config": {"values": []}})

    with pytest.raises(DraftChanged):
        draft.publish(revision=1)
    with pytest.raises(DraftInvalid):
        draft.publish()
    draft.change_step("set", {"config": {"values": [{"name": "a", "value": "1"}]}})
    assert draft.publish() == 1


def test_the_start_is_undone_like_a_step(draft):
    draft.change_start({"inputs": [], "deadline_s": 60})
    draft.undo()

    with db.transaction(draft.house.id):
        assert draft.workflow().settings["deadline_s"] == 86400


def test_old_revisions_are_dropped(draft, monkeypatch):
    monkeypatch.setattr(drafts, "KEPT", 3)
    draft.add_step(NODE, Place())
    for number in range(6):
        draft.change_step("set", {"name": f"n{number}"})

    undone = 0
    while draft.undo():
        undone += 1
    assert undone == 3


def test_a_strangers_draft_is_not_there(draft, other_tenant):
    with db.transaction(other_tenant.id), pytest.raises(NotFound):
        drafts.undo(other_tenant.id, draft.id, revision=0, by=draft.by)
