"""Started by programs through the interface, with an API token."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.triggers.manual import Simple


class Api(Simple):
    kind: ClassVar[str] = "api"
    icon: ClassVar[str] = "plug"
    label: ClassVar[Any] = _l("Through the interface")
    description: ClassVar[Any] = _l("Programs with an API token start runs. The same Idempotency-Key starts one run.")
