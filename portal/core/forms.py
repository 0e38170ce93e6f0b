"""The base form: CSRF, trimmed text, digits as ASCII, translated errors."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm

from portal.core import db

# NUL, which PostgreSQL refuses, and the other controls, which no HTML page may hold: the form is shown again with what was typed.
CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def clean(value: Any) -> Any:
    """Trim text and drop control characters; tabs and lines stay."""
    return value.translate(CONTROLS).strip() if isinstance(value, str) else value


class Form(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Every HTML form of the portal; text fields arrive trimmed."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # flask-wtf has no types
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            keep = unbound_field.field_class.__name__ == "PasswordField"
            filters = list(unbound_field.kwargs.get("filters", ()))
            return unbound_field.bind(form=form, filters=filters if keep else [*filters, clean], **options)

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Check the form; where it is only checked and right, the view ends here."""
        is_right = bool(super().validate(*args, **kwargs))
        if is_right and db.trial() is False:
            raise db.OnlyTried(is_whole=True)
        return is_right

    def problems(self) -> dict[str, str]:
        """Field name → its first error."""
        return {name: str(errors[0]) for name, errors in self.errors.items() if name and errors}
