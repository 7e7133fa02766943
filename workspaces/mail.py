"""E-mail in the product's voice: a subject, a text and an HTML part from templates."""

from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def send(template: str, *, to: str, **context: Any) -> None:
    """Sends `TEMPLATE_subject.txt`, `TEMPLATE_message.txt` and `TEMPLATE_message.html`.

    Raises OSError (smtplib's errors are) when the mail server does not take it.
    """
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    message = EmailMultiAlternatives(
        subject, render_to_string(f"{template}_message.txt", context).strip() + "\n", to=[to]
    )
    message.attach_alternative(render_to_string(f"{template}_message.html", context), "text/html")
    message.send()
