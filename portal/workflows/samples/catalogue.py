"""Every template of the house, by its short name, and the categories that they stand in."""

from __future__ import annotations

from typing import Any

from portal.core.errors import NotFound
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.samples import compliance, customers, finance, it, people, purchasing, security
from portal.workflows.samples.parts import Sample

# In the order of the page: code → (name, icon).
CATEGORIES: dict[str, tuple[Any, str]] = {
    "people": (_l("Human resources"), "users"),
    "purchasing": (_l("Purchasing and suppliers"), "store"),
    "it": (_l("IT service"), "monitor"),
    "security": (_l("Security response"), "shield-check"),
    "compliance": (_l("Compliance"), "clipboard-check"),
    "finance": (_l("Finance"), "chart-column"),
    "customers": (_l("Customer care"), "messages-square"),
    "general": (_l("Other"), "blocks"),
}
BLANK = Sample(
    "blank",
    "file-plus",
    "general",
    "Blank workflow",
    "مسار عمل فارغ",
    "Begin with nothing and add your own steps.",
    "ابدأ دون خطوات وأضف ما تريد.",
    [],
    days=1,
)
SAMPLES: dict[str, Sample] = {
    sample.slug: sample for module in (people, purchasing, it, security, compliance, finance, customers) for sample in module.SAMPLES
}


def get(slug: str) -> Sample:
    """Return a template, or the blank beginning.

    Raises:
        NotFound: there is none of this name.
    """
    found = BLANK if slug == BLANK.slug else SAMPLES.get(slug)
    if found is None:
        raise NotFound
    return found
