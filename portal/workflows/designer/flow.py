"""The flow as both pages show it: the designer with problems, a run with the state of each step. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import ERROR, Node, Problem, is_fork
from portal.workflows.designer import edits
from portal.workflows.designer.edits import Card
from portal.workflows.designer.lanes import lane_icon, lane_name
from portal.workflows.designer.summaries import summary_of


def run_tree(nodes: list[Node], states: Mapping[str, Any], crowds: Mapping[str, Mapping[str, int]] | None = None) -> list[Card]:
    """Return the cards of a run's version; `.state` is what `states` has for the step's key, or None.

    Args:
        crowds: of steps that ran more than once: how often, by state.
    """
    cards = _described(nodes)
    for card in edits.every_card(cards):
        card.state = states.get(card.key)
        counts = (crowds or {}).get(card.key) or {}
        card.crowd = counts if sum(counts.values()) > 1 else None
        port = getattr(card.state, "port", None)
        if card.lanes and port and not card.crowd:
            for lane in card.lanes:
                if is_fork(card.node) or lane.name == ERROR:
                    lane.is_taken = lane.name == port
    return cards


def draft_tree(nodes: list[Node], problems: Iterable[Problem]) -> list[Card]:
    """Return the cards of a draft, each with its problems."""
    cards = _described(nodes)
    by_key = {card.key: card for card in edits.every_card(cards)}
    for problem in problems:
        if problem.step in by_key:
            by_key[problem.step].problems.append(problem)
    return cards


def _described(nodes: list[Node]) -> list[Card]:
    cards = edits.tree(nodes)
    for card in edits.every_card(cards):
        card.label = ACTIONS[card.kind].label if card.kind in ACTIONS else card.kind
        card.summary = summary_of(card.node)
        for lane in card.lanes:
            lane.label, lane.icon = lane_name(card.node, lane.name), lane_icon(lane.name)
    return cards
