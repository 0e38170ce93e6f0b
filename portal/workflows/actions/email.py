"""Send an e-mail. Unsafe: SMTP has no key, so a mail that may have left is never sent again by the engine."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.mail import service as mail
from portal.mail.errors import MailNotSent
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import as_text


class Email:
    kind: ClassVar[str] = "email"
    icon: ClassVar[str] = "mail"
    label: ClassVar[Any] = _l("E-mail")
    description: ClassVar[Any] = _l("Send an e-mail to one or more addresses")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("to", "text", _l("To"), _l("One address, or several with commas between them"), required=True),
        Field("subject", "text", _l("Subject"), required=True),
        Field("body", "long_text", _l("Text"), required=True),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("message_id", _l("Message id")), ("to", _l("Recipients")))

    def effect(self, config: dict[str, Any]) -> str:
        return "unsafe"

    def perform(self, call: Call) -> Outcome:
        to = call.config["to"]
        addresses = [str(each) for each in to] if isinstance(to, list) else str(to).replace("،", ",").split(",")
        message = mail.OutgoingMail(
            to=[each.strip() for each in addresses if each.strip()],
            subject=as_text(call.config["subject"]),
            text=as_text(call.config["body"]),
            message_id=call.idem_key,
            origin=call.workflow_name,
            origin_ar=call.workflow_name_ar or "",
            tenant_id=call.tenant_id,
        )
        try:
            receipt = mail.send(message)
        except MailNotSent as refused:
            return Failed(f"mail_{refused.code}", detail=refused.message, again=refused.again, sent=refused.sent)
        return Done({"message_id": receipt.message_id, "to": message.to})
