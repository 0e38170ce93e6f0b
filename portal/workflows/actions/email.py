"""Send an e-mail. Unsafe: SMTP has no key, so a mail that may have left is never sent again by the engine."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.mail import service as mail
from portal.mail.errors import MailNotSent
from portal.workflows import stored
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
        Field("cc", "text", _l("Copy to"), _l("Everybody sees these addresses")),
        Field("reply_to", "text", _l("Answers go to"), _l("One address; empty for none")),
        Field("subject", "text", _l("Subject"), required=True),
        Field("body", "long_text", _l("Text"), required=True),
        Field(
            "files", "text", _l("Files"), _l("A file of an earlier step, e.g. ${ steps.report.file }, or a list of files; 10 MB at most")
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("message_id", _l("Message id")), ("to", _l("Recipients")))

    def effect(self, config: dict[str, Any]) -> str:
        return "unsafe"

    def perform(self, call: Call) -> Outcome:
        try:
            files = stored.read_files(call.tenant_id, call.config.get("files"))
        except stored.FileRefused as refused:
            return Failed(f"file_{refused.args[0]}", detail=" ".join(refused.args[1:]))
        message = mail.OutgoingMail(
            to=_addresses(call.config["to"]),
            cc=_addresses(call.config.get("cc")),
            reply_to=as_text(call.config.get("reply_to")).strip(),
            attachments=[mail.Attachment(file.name, file.media_type, file.content) for file in files],
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


def _addresses(value: Any) -> list[str]:
    if value in (None, ""):
        return []
    given = [str(each) for each in value] if isinstance(value, list) else str(value).replace("،", ",").split(",")
    return [each.strip() for each in given if each.strip()]
