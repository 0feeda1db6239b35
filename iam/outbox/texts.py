"""What the messages say. Each topic: subject and text, with the names that `post` is given."""

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop, override


@dataclass(frozen=True)
class Text:
    """A topic's words in English; `gettext` has the other languages."""

    subject: str
    body: str


TEXTS = {
    "verify_email": Text(
        gettext_noop("Confirm your e-mail address"),
        gettext_noop(
            "Hello %(name)s,\n\nthis address was given for the account %(login)s. Confirm it here:\n%(link)s\n\n"
            "Or enter the code %(code)s. It is good for one hour.\n\nIf that was not you, ignore this message."
        ),
    ),
    "verify_phone": Text(gettext_noop("Confirm your number"), gettext_noop("%(code)s is your code for %(login)s.")),
    "reset_password": Text(
        gettext_noop("Set a new password"),
        gettext_noop(
            "Hello %(name)s,\n\nsomebody asked for a new password for the account %(login)s. Set it here:\n%(link)s\n\n"
            "Or enter the code %(code)s. It is good for one hour.\n\nIf that was not you, ignore this message: "
            "your password stays as it is."
        ),
    ),
    "invite": Text(
        gettext_noop("You are invited to %(application)s"),
        gettext_noop(
            "Hello %(name)s,\n\nan account was made for you: %(login)s. Set your password here:\n%(link)s\n\n"
            "Or enter the code %(code)s. It is good for three days."
        ),
    ),
    "password_changed": Text(
        gettext_noop("Your password was changed"),
        gettext_noop(
            "Hello %(name)s,\n\nthe password of the account %(login)s was changed.\n\n"
            "If that was not you, set a new one at %(link)s and tell your administrator."
        ),
    ),
    "email_changed": Text(
        gettext_noop("Your e-mail address was changed"),
        gettext_noop(
            "Hello %(name)s,\n\nthe account %(login)s has another e-mail address now; this one is told for the last time.\n\n"
            "If that was not you, tell your administrator."
        ),
    ),
}


def written(topic: str, language: str, values: dict[str, str]) -> tuple[str, str]:
    """Subject and text in a language."""
    text = TEXTS[topic]
    with override(language or "en"):
        return gettext(text.subject) % values, gettext(text.body) % values
