"""The form of a SAML provider."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.core.forms import Form
from portal.i18n.formats import date
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity.sso import calls
from portal.identity.sso.errors import ProviderFaulty
from portal.identity.sso.forms import LONG, Entered
from portal.identity.sso.saml import certificates
from portal.identity.sso.saml.certificates import CertificateUnfit
from portal.identity.sso.saml.documents import LARGEST
from portal.identity.sso.saml.metadata import Published
from portal.identity.sso.saml.peer import Terms

TOO_LONG = _l("Use at most %(limit)s characters.", limit=f"{LARGEST:,}")


class MetadataForm(Form):
    """Where the metadata of a provider is: at an address, in a file, or pasted."""

    metadata_url = StringField(_l("Address of the metadata"), [LONG])
    metadata_file = FileField(_l("File with the metadata"))
    metadata = TextAreaField(_l("Metadata"), [Length(max=LARGEST, message=TOO_LONG)])

    def brought(self) -> bytes:
        """Return the metadata that was uploaded or pasted, if any."""
        uploaded = self.metadata_file.data
        raw: bytes = uploaded.read(LARGEST + 1) if uploaded else b""
        return raw or (self.metadata.data or "").encode()


class SamlForm(Entered):
    issuer = StringField(_l("Entity ID"), [InputRequired(_l("Enter the entity ID of the provider.")), LONG])
    sso_url = StringField(_l("Sign-in address"), [InputRequired(_l("Enter the address where people sign in.")), LONG])
    slo_url = StringField(_l("Sign-out address"), [LONG])
    slo_response_url = StringField(_l("Address for answers about signing out"), [LONG])
    metadata_url = StringField(_l("Address of the metadata"), [LONG])
    certificates = TextAreaField(_l("Certificates"), [InputRequired(_l("Paste the certificate with which the provider signs.")),
                                                      Length(max=40_000, message=TOO_LONG)])  # fmt: skip
    email_attribute = StringField(_l("Attribute with the e-mail address"), [LONG])
    name_attribute = StringField(_l("Attribute with the name"), [LONG])
    signs_requests = BooleanField(_l("Sign our requests"))
    vouches = BooleanField(_l("The organisation gives out the addresses itself"))

    def validate_sso_url(self, field: StringField) -> None:
        _check_address(field, _("the sign-in"))

    def validate_slo_url(self, field: StringField) -> None:
        _check_address(field, _("the sign-out"))

    def validate_slo_response_url(self, field: StringField) -> None:
        _check_address(field, _("the sign-out"))

    def validate_certificates(self, field: TextAreaField) -> None:
        try:
            self.read_certificates = certificates.read(field.data or "")
        except CertificateUnfit as unfit:
            raise ValidationError(_unfit(unfit, field.data or "")) from None

    def given(self) -> dict[str, Any]:
        """Return what every kind of provider keeps as it was written."""
        return {**super().given(), "client_id": ""}

    def terms(self) -> dict[str, Any]:
        """Return what only SAML keeps, without our certificate."""
        names = ("sso_url", "slo_url", "slo_response_url", "metadata_url", "email_attribute", "name_attribute")
        texts = {name: getattr(self, name).data or "" for name in names}
        return {
            **texts,
            "certificates": tuple(self.read_certificates),
            "signs_requests": self.signs_requests.data,
            "vouches": self.vouches.data,
        }

    def take(self, published: Published) -> None:
        """Fill in what metadata says; what people decide stays."""
        self.issuer.data, self.sso_url.data, self.slo_url.data = published.issuer, published.sso_url, published.slo_url
        self.slo_response_url.data = published.slo_response_url
        self.certificates.data = _pasted(published.certificates)
        if published.wants_signed_requests:
            self.signs_requests.data = True


def kept(terms: Terms) -> dict[str, Any]:
    """Return the fields of a form for what is kept of a provider."""
    return {**terms.as_json(), "certificates": _pasted(terms.certificates)}


def _pasted(listed: tuple[str, ...]) -> str:
    return "\n".join(certificates.as_pem(each) for each in listed)


def _check_address(field: StringField, what: str) -> None:
    try:
        calls.check_endpoint(field.data or "", what)
    except ProviderFaulty as faulty:
        raise ValidationError(faulty.message) from None


def _unfit(unfit: CertificateUnfit, text: str) -> str:
    sentences = {
        "unreadable": _("Certificate %(number)s cannot be read. Paste it whole, with its first and last line.", number=str(unfit.number)),
        "weak": _("The key of certificate %(number)s is too weak: RSA of 2048 bits or more, or an elliptic curve P-256, P-384 or P-521.",
                  number=str(unfit.number)),
        "many": _("Keep at most five certificates."),
        "none": _("Paste the certificate with which the provider signs."),
    }  # fmt: skip
    if unfit.reason == "expired":
        return _("The certificate expired on %(day)s. Enter the one with which the provider signs now.", day=date(_last_end(text)))
    return sentences[unfit.reason]


def _last_end(text: str) -> Any:
    blocks = certificates.PEM.findall(text) or [text]
    return max(certificates.seen("".join(each.split())).ends_at for each in blocks)
