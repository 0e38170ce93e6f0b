"""Mail at the start: Flask-Mail builds the messages; our transport delivers them."""

from flask import Flask
from flask_mail import Mail

from portal.mail import jobs


def init_app(app: Flask) -> None:
    Mail(app)
