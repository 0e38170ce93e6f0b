"""What the codes of a report say, in whole sentences of the reader's language."""

from __future__ import annotations

from typing import Any

from portal.i18n.formats import isolate
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.exchange.reporting import CHANGED, MAPPED, REVIEW

LEVELS = {MAPPED: _l("Taken over"), CHANGED: _l("Taken over with changes"), REVIEW: _l("To be looked at")}
SAID: dict[str, Any] = {
    # What became of a node.
    "no_step": _l("It needs no step here."),
    "manual": _l("Every workflow can be started by hand."),
    "called": _l("Other workflows can call this one; what it asks for became inputs."),
    "sticky": _l("Its text stands as a note at this step."),
    "sticky_loose": _l("Its text stands in the description of the workflow."),
    "copied": _l("Two ways lead to it that do not meet before; the step stands once for each."),
    "renamed": _l("Another node has the same name; here it is called “%(about)s”."),
    "disabled": _l("It was switched off: it stands in a condition that is never true."),
    "disabled_start": _l("It was switched off, so no way of starting was made of it."),
    "start_off": _l("It is switched off. Look at it under “Ways to start”, then switch it on."),
    "webhook_address": _l("It has a new address here and is switched off; the old one was “%(about)s”."),
    "webhook_method": _l("It was called by %(about)s; here it is called by POST."),
    "error_start": _l("Choose this workflow in others as the one that deals with their failures."),
    "unknown_start": _l("There is no way of starting like “%(about)s” here. Choose one under “Ways to start”."),
    "several_starts": _l("Each start led somewhere else. Say in the first switch how to tell them apart."),
    "schedule": _l("This time cannot be said the same way here: %(about)s."),
    "start_refused": _l("It could not be added as a way of starting: %(about)s."),
    "form_field": _l("The field “%(about)s” is of a kind that is not known here."),
    "apart": _l("No start leads to it. It stands in a condition that is never true."),
    "deep": _l("It stands deeper than steps can stand here; a group marks the place."),
    "goes_on": _l("Too many ways cross here; groups mark the places where the line goes on with it."),
    "too_many_steps": _l("The workflow crosses itself so often that it would have too many steps; this is not among them."),
    "back": _l("A way leads back to it that cannot be a “Go to”; a group marks the place."),
    "loop_back": _l("A later step goes back to it, a hundred times at most."),
    "ways_meet": _l("Several ways met here without a merge; it is carried out once, with what the first of them brought."),
    "nothing_fits": _l("What fits no case ended there; a condition behind the switch holds the rest."),
    "inner_list": _l("It works on the items of one round, not on those of all rounds."),
    "error_lane": _l("What follows only when it worked stands in a condition behind it."),
    "filter_one": _l("It became a condition that holds the rest of the line."),
    "batches": _l("Items are worked on one by one, not %(about)s at a time."),
    "old_loop": _l("Loops of this age say in a condition when they are done. Here a loop ends by itself: take that condition out."),
    "unknown": _l("There is no step like “%(about)s” here. Its settings stand in the note."),
    "helper": _l("It belongs to %(about)s and stands in the note there."),
    "agent": _l("There is no step for agents. What it was made of stands in the note: put an HTTP call to your model in its place, or a task for people."),
    "code": _l("Code (%(about)s) is not carried out. Its source stands in the note: build it from steps."),
    "code_turned": _l("Its code only gave fields and became this step. The source stands in the note: compare both once."),
    "code_passes": _l("Its code gave on what came."),
    # Settings.
    "expression": _l("This expression was kept as text: %(about)s"),
    "plus": _l("A plus of two unknown values adds numbers here; to join texts write string(…) around them."),
    "compare": _l("Two unknown values are compared as numbers."),
    "now": _l("“Now” is the moment at which the run began."),
    "json": _l("The value itself is used; in a text it is written as JSON."),
    "ascii": _l("Letters outside of English keep their case."),
    "condition": _l("Its condition could not be taken over; it stands in the note. Write it anew."),
    "switch_all": _l("Every case that fitted was taken; here only the first one is."),
    "connection": _l("Choose a connection for it. It used: %(about)s"),
    "secret": _l("Something that looks like a secret was left out. Keep it in a connection."),
    "http_method": _l("The method %(about)s is not known here."),
    "http_body": _l("A body of the kind “%(about)s” is not known here."),
    "http_json": _l("Parameters that were written as JSON could not be read."),
    "http_file": _l("The answer is kept as a file."),
    "http_batches": _l("Calls are not made in batches; limit the rate of the connection instead."),
    "http_pages": _l("Set anew how further pages of the answer are fetched."),
    "options": _l("These options have no like here: %(about)s"),
    "raw_json": _l("Fields were written as JSON with expressions. Write them as single values."),
    "no_fields": _l("It set nothing, so there is no step for it."),
    "sql_bound": _l("Values that stood inside the statement are bound to it now."),
    "sql_columns": _l("Its columns came from the items. Name them in the statement."),
    "operation": _l("The operation “%(about)s” has no like here."),
    "people": _l("Choose who decides. It was sent to: %(about)s"),
    "mail_html": _l("Mails are sent as text here. Write it without marks."),
    "mail_sender": _l("The organisation's own address sends it, not “%(about)s”."),
    "mail_bcc": _l("There are no hidden copies here."),
    "mail_files": _l("Choose the files to send."),
    "workflow": _l("Choose the workflow to call. It was: %(about)s"),
    "waits": _l("It waits until the other workflow has ended."),
    "callback": _l("It waits for a call to an address of its own: run.callback."),
    "unit": _l("“%(about)s” is no unit here."),
    "respond": _l("An answer of the kind “%(about)s” is not known here."),
    "sort": _l("This order cannot be worked out here."),
    "sort_first": _l("It sorts by the first field only."),
    "compare_except": _l("Say by which fields two items are the same."),
    "split_others": _l("Fields beside the list are not repeated for each item."),
    "split_field": _l("It can take one list apart, named by its path."),
    "aggregate": _l("Nothing was named to be gathered."),
    "merge": _l("Ways cannot be merged by “%(about)s” here. Put one list into a data table and find its rows by the key, or let an SQL step join them."),
    "merge_ways": _l("Only one way leads to it, so there is nothing to merge."),
    "merge_place": _l("It keeps what each way brought under a name of its own."),
    "merge_fields": _l("Later steps read from the first way. Look where they need the others."),
    "retry_wait": _l("The time between attempts is chosen here by itself, longer each time."),
    # What cannot be known at a place.
    "no_item": _l("It reads something that is not known at this place."),
    "mixed_item": _l("It uses all of an item whose parts come from different steps."),
    "whole_request": _l("It uses the whole request; name the parts that it needs."),
    "no_node": _l("It reads a step that does not come before it."),
    "inside_each": _l("It reads a step inside a loop that has ended."),
    "placeholder": _l("It reads what a step gives that has no like here."),
    "too_many_inputs": _l("The workflow would ask for too many inputs."),
    "too_many_ways": _l("Too many ways lead to it to say where its values come from."),
    # Things of the organisation.
    "no_connection": _l("There is no connection “%(about)s” here that you may use. Choose one."),
    "no_workflow": _l("There is no workflow “%(about)s” here, or several. Choose one."),
    "no_calendar": _l("There is no calendar “%(about)s” here. Choose one."),
    "no_people": _l("Nobody here is called “%(about)s”. Choose who is meant."),
    "no_table": _l("There is no data table “%(about)s” here. Make it, or choose another."),
    # The whole.
    "check": _l("The check finds something to do."),
    "check_step": _l("The check finds something to do at “%(about)s”."),
    "check_start": _l("The check finds something to do at the start."),
    "error_workflow": _l("Choose the workflow that deals with failures; there it was the one with the id %(about)s."),
    "settings": _l("These settings were not taken over: %(about)s"),
    "was_active": _l("It was running there. Here it is switched off until you switch it on."),
    "pinned": _l("Pinned sample data was not taken over: %(about)s"),
    "static": _l("What the workflow remembered between runs was not taken over."),
    "tags": _l("Its labels were: %(about)s"),
    "lost_wire": _l("A wire led to a node that is not in the file: %(about)s"),
    "no_nodes": _l("The workflow has no nodes."),
}  # fmt: skip


def say(word: tuple[str, str]) -> str:
    """Return the sentence of a code, with what it is about set apart from the words around it."""
    code, about = word
    sentence = str(SAID.get(code, code))
    return sentence.replace("%(about)s", isolate(about) or "—")
