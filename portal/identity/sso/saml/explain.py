"""What was wrong with an answer, for the admin who tries a provider out: what to change, and where."""

from __future__ import annotations

from portal.i18n.words import gettext as _
from portal.identity.sso.saml.peer import Peer


def explained(reason: str, peer: Peer) -> str:
    """Return one sentence about a refusal; it holds what we expect, never what the message said, which anybody can write."""
    entity_id, acs, issuer = (f"\u2068{each}\u2069" for each in (peer.entity_id, peer.acs, peer.issuer))
    sentences = {
        "unsigned": _("The assertion is not signed. Switch on there that assertions are signed; a signed response alone is not enough."),
        "signature": _(
            "The signature fits none of the certificates that are entered here. Enter the one with which the provider signs now."
        ),
        "certificate_expired": _("The certificate with which the provider signs has expired. Enter its new one here."),
        "algorithm": _("The signature is made with an algorithm that is no longer safe, SHA-1 for example. Choose RSA with SHA-256 there."),
        "transforms": _("The signature is made in a way that SAML does not allow. Choose exclusive canonicalization there."),
        "issuer": _("The answer comes from another issuer. Here stands %(issuer)s.", issuer=issuer),
        "audience": _("The assertion is meant for another application. Its audience must be %(audience)s.", audience=entity_id),
        "recipient": _("The assertion is meant for another address. Its recipient must be %(address)s.", address=acs),
        "destination": _("The response is meant for another address. Its destination must be %(address)s.", address=acs),
        "expired": _("The answer came too late, or the clock of the provider is wrong."),
        "not_yet": _("The answer counts only from later on: the clock of the provider is wrong."),
        "lifetime": _("The assertion would count for longer than a day. Shorten that there."),
        "name_id": _(
            "The identifier (NameID) is not of the kind “persistent”. Choose that kind there: other kinds change, or change hands."
        ),
        "name_id_policy": _("The provider makes no identifier (NameID) of the kind “persistent”. Allow that kind there."),
        "name_id_scope": _("The identifier (NameID) was made by another provider or for another application."),
        "unasked": _("The answer names no request of ours: signing in must begin here, not at the provider."),
        "in_response_to": _("The answer is to another request than the one that was sent."),
        "encryption": _(
            "The assertion is encrypted in a way that is not accepted. Choose AES-256-GCM with RSA-OAEP there, or no encryption."
        ),
        "decryption": _("The assertion is encrypted for another key. Give the provider our metadata again."),
        "denied": _("The provider turned you away. Give yourself access to the application there."),
        "status": _("The provider answered with an error of its own; its log says more."),
        "no_assertion": _("The response holds no assertion."),
        "replayed": _("The answer was brought before. Begin the test again."),
        "comment": _("The message holds comments, which may not be."),
    }
    return sentences.get(reason) or _("The message is not what the standard asks for (%(reason)s).", reason=reason)
