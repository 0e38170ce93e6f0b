"""What can go wrong with a mail."""

from __future__ import annotations

FINAL = frozenset(
    {
        "recipient_refused",
        "sender_refused",
        "message_refused",
        "invalid_address",
        "invalid_header",
        "too_many_recipients",
        "attachments_too_large",
    }
)


class MailNotSent(Exception):
    """The mail server did not take the message.

    Args:
        code: connect, timeout, busy, recipient_refused, sender_refused, message_refused, connection_lost, invalid_address,
            invalid_header, too_many_recipients or attachments_too_large.
        message: plain facts for the person: an address, a header's name; nothing that the server said of itself.
        sent: False when it is proven that nobody got it; None when the line broke after the whole text was handed over.
    """

    def __init__(self, code: str, message: str = "", *, sent: bool | None = False) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.sent = sent

    @property
    def again(self) -> bool:
        """Whether another attempt can help."""
        return self.code not in FINAL
