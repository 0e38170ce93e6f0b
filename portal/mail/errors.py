"""What can go wrong with a mail."""

from __future__ import annotations


class MailNotSent(Exception):
    """The mail server did not take the message.

    Args:
        code: connect, timeout, recipient_refused, sender_refused, message_refused, connection_lost, invalid_address,
            invalid_header or too_many_recipients.
        sent: False when it is proven that nobody got it; None when the line broke after the text was handed over.
    """

    def __init__(self, code: str, message: str = "", *, sent: bool | None = False) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.sent = sent
