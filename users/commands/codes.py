"""Codes: proving an address or a number, setting a password without the one before, accepting an invitation.

Codes are rows with an end, never facts (DESIGN §4): kept as digests, good once, for a few tries (`users.tries`).
"""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode, urlsplit

from django.db import transaction
from django.db.models import Q, QuerySet

from iam.access.tokens import digest
from iam.api import rates
from iam.instance.domain.values import Generator
from iam.instance.settings import settings_of
from iam.kernel.change import Receipt, Unit, change
from iam.kernel.context import Context
from iam.kernel.errors import FailedPrecondition, InvalidInput
from iam.outbox.post import post
from users import attempts, letters, tries
from users.domain import events as facts
from users.domain.profile import known_language
from users.domain.states import UserState
from users.domain.user import User
from users.models import CodeRow, UserRow
from users.ranks import must_not_outrank

EMAIL, PHONE, PASSWORD, INVITE = "email", "phone", "password", "invite"
MAIL, SMS = "email", "sms"
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LOWER, SYMBOLS = "abcdefghijkmnpqrstuvwxyz", "!#$%*+-=?@"
GENERATORS = {INVITE: 1, EMAIL: 2, PHONE: 3, PASSWORD: 4}
"""Purpose → number of the secret generator in the settings of the instance."""
FOREVER = timedelta(days=3650)
PAGES = {EMAIL: "verify", PASSWORD: "password/set", INVITE: "password/set", PHONE: "verify"}
TOPICS = {EMAIL: "verify_email", PHONE: "verify_phone", PASSWORD: "reset_password", INVITE: "invite"}
PLACES = ("UserID", "LoginName", "Code", "OrgID", "CodeID")


@dataclass(frozen=True)
class Wish:
    """How a code should reach the person: sent (to a page of `url_template`, or ours), or returned to the caller.

    `by_sms`: to the phone instead of the address, where there is a choice. `device`: the digest of the browser that asks,
    `knows_device` whether the person signed in there before.
    """

    returned: bool = False
    url_template: str = ""
    application: str = ""
    by_sms: bool = False
    device: str = ""
    knows_device: bool = False


@dataclass(frozen=True)
class Requested:
    """A code was made; `code` only when it was asked back."""

    receipt: Receipt
    code: str = ""


@dataclass(frozen=True)
class Proof:
    """A code that was right, not used up yet: of whom, for what, and whether it came to the phone."""

    user_id: str
    purpose: str
    digest: str
    by_sms: bool = False

    @property
    def is_of_email(self) -> bool:
        """Whether it proves the e-mail address, too."""
        return self.purpose == INVITE or not self.by_sms


def request_email_code(ctx: Context, *, user_id: str, wish: Wish) -> Requested:
    """Make a code that proves the address, also one that is proved already."""
    return _request(ctx, _allowed(ctx, user_id, wish), EMAIL, wish)


def resend_email_code(ctx: Context, *, user_id: str, wish: Wish) -> Requested:
    """Make another code that proves the address; raises FailedPrecondition when it is proved already."""
    user = _allowed(ctx, user_id, wish)
    if user.email_verified:
        raise FailedPrecondition("user.email_already_verified")
    return _request(ctx, user, EMAIL, wish)


def request_phone_code(ctx: Context, *, user_id: str, wish: Wish) -> Requested:
    """Make a code that proves the number; raises FailedPrecondition without one, or when it is proved already."""
    user = _allowed(ctx, user_id, wish)
    if not user.phone:
        raise FailedPrecondition("user.phone_missing")
    if user.phone_verified:
        raise FailedPrecondition("user.phone_already_verified")
    return _request(ctx, user, PHONE, wish)


def request_password_code(ctx: Context, *, user_id: str, wish: Wish) -> Requested:
    """Make a code that lets the person set a password."""
    user = _allowed(ctx, user_id, wish)
    if wish.by_sms and not (user.phone and user.phone_verified):
        raise FailedPrecondition("user.phone_missing")
    return _request(ctx, user, PASSWORD, wish)


def request_invite_code(ctx: Context, *, user_id: str, wish: Wish) -> Requested:
    """Make a code that lets a person without a password set one."""
    return _request(ctx, _invited(ctx, user_id, wish), INVITE, wish)


def resend_invite_code(ctx: Context, *, user_id: str) -> Requested:
    """Send the last invitation once more: to the same page, in the name of the same application.

    Raises FailedPrecondition where none was sent.
    """
    user = _invited(ctx, user_id, Wish())
    last = _waiting(ctx, user_id, INVITE).first()
    if last is None or last.returned:
        raise FailedPrecondition("user.invitation_not_sent")
    return _request(ctx, user, INVITE, Wish(url_template=last.url_template, application=last.application))


def send_first_codes(ctx: Context, *, user_id: str) -> None:
    """The letters to a new person: an invitation to who has no password, else codes for what is not verified."""
    user = Unit(ctx).load(User, user_id)
    if not user.password_hash:
        request_invite_code(ctx, user_id=user_id, wish=Wish())
    send_address_codes(ctx, user_id=user_id, email=bool(user.password_hash), phone=True)


def send_address_codes(ctx: Context, *, user_id: str, email: bool = False, phone: bool = False) -> None:
    """Send codes for the address and the number, as asked, where they are not verified."""
    user = Unit(ctx).load(User, user_id)
    if email and user.email and not user.email_verified:
        request_email_code(ctx, user_id=user_id, wish=Wish())
    if phone and user.phone and not user.phone_verified:
        request_phone_code(ctx, user_id=user_id, wish=Wish())


def verify_email(ctx: Context, *, user_id: str, code: str) -> Receipt:
    """Prove the address; raises InvalidInput."""
    take(ctx, _proved(ctx, user_id, code, EMAIL))
    return change(ctx, User, user_id, lambda _: [facts.EmailVerified()], needs="")


def verify_phone(ctx: Context, *, user_id: str, code: str) -> Receipt:
    """Prove the number; raises InvalidInput."""
    take(ctx, _proved(ctx, user_id, code, PHONE))
    return change(ctx, User, user_id, lambda _: [facts.PhoneVerified()], needs="")


def prove_password_code(ctx: Context, *, user_id: str, code: str, device: str = "") -> Proof:
    """What the code that lets a password be set proves; it stays good until it is taken. Raises InvalidInput.

    `device`: the digest of the browser that sends it.
    """
    return _proved(ctx, user_id, code, PASSWORD, INVITE, device=device)


def verify_invite(ctx: Context, *, user_id: str, code: str) -> Receipt:
    """Accept an invitation: the address is proved."""
    take(ctx, _proved(ctx, user_id, code, INVITE))
    return change(ctx, User, user_id, User.prove_email, needs="")


def take(ctx: Context, proof: Proof) -> None:
    """Use a code up: of many at once one has it. Raises InvalidInput."""
    if not _waiting(ctx, proof.user_id, proof.purpose).filter(digest=proof.digest).delete()[0]:
        raise _wrong()


def _of(ctx: Context, user_id: str) -> Q:
    return Q(instance_id=ctx.instance, user_id=user_id)


def _waiting(ctx: Context, user_id: str, purpose: str) -> "QuerySet[CodeRow]":
    return CodeRow.objects.filter(_of(ctx, user_id), purpose=purpose)


def forget_codes(ctx: Context, user_id: str, *purposes: str) -> None:
    """What was proved with an address that has changed proves nothing any more."""
    CodeRow.objects.filter(instance_id=ctx.instance, user_id=user_id, purpose__in=purposes).delete()


def void_invitation(ctx: Context, user_id: str) -> None:
    """The code of an invitation counts no more; that one was sent, and what it said, stays known for the next."""
    _waiting(ctx, user_id, INVITE).update(digest="", expires_at=ctx.now())


def _allowed(ctx: Context, user_id: str, wish: Wish) -> User:
    """One's own, or with the right to change users. A code that comes back to who asks for it proves nothing:
    that, too, takes the right to call an address verified.

    Who ranks higher gets codes only in letters that lead to the pages for them: another one could keep or pass them on,
    as an address that ends a sign-in at an application does (checklist T06).
    """
    user = Unit(ctx).load(User, user_id)
    if not user_id or ctx.caller.user_id != user_id or wish.returned:
        ctx.require("user.write", user.owner)
        if wish.returned or not _leads_home(ctx, wish.url_template):
            must_not_outrank(ctx, user_id)
    user.must_be("human")
    return user


def _leads_home(ctx: Context, template: str) -> bool:
    """Whether a link leads to a page of the login that takes codes, at the instance's own origin."""
    pages = {f"{ctx.links_url}/ui/v2/login/{page}" for page in PAGES.values()}
    return not template or template.partition("?")[0] in pages


def _invited(ctx: Context, user_id: str, wish: Wish) -> User:
    user = _allowed(ctx, user_id, wish)
    if user.password_hash:
        raise FailedPrecondition("user.already_has_password")
    return user


def _request(ctx: Context, user: User, purpose: str, wish: Wish) -> Requested:
    drawn = settings_of(ctx.instance).generator(GENERATORS[purpose])
    code = ctx.ports.secrets.digits(drawn.length, _alphabet(drawn))
    link = _link(ctx, user, purpose, code, wish.url_template)
    now = ctx.now()
    values = {
        "digest": digest(code.upper()),
        "medium": SMS if purpose == PHONE or wish.by_sms else MAIL,
        "returned": wish.returned,
        "url_template": wish.url_template,
        "application": wish.application,
        "device": wish.device,
        "created_at": now,
        "expires_at": now + (drawn.expiry or FOREVER),
    }
    key = {"instance_id": ctx.instance, "user_id": user.id, "purpose": purpose}
    with transaction.atomic():
        if not wish.returned:
            to, device = _recipient(user, values["medium"]), wish.device if wish.knows_device else ""
            letters.count(ctx, user_id=user.id, medium=values["medium"], to=to, device=device)
        CodeRow.objects.filter(**key).delete()
        CodeRow.objects.create(**key, **values)
        if not wish.returned:
            told = {"code": code, "link": link, "application": wish.application or ctx.links_url}
            _send(ctx, user, TOPICS[purpose], values["medium"], told)
    return Requested(_receipt(ctx, user.id), code if wish.returned else "")


def _alphabet(drawn: Generator) -> str:
    """The characters to draw from, without those that look alike."""
    sets = (
        (drawn.include_upper_letters, ALPHABET[:24]),
        (drawn.include_digits, ALPHABET[24:]),
        (drawn.include_lower_letters, LOWER),
        (drawn.include_symbols, SYMBOLS),
    )
    return "".join(characters for wanted, characters in sets if wanted)


def _receipt(ctx: Context, user_id: str) -> Receipt:
    row = UserRow.objects.get(instance_id=ctx.instance, id=user_id)
    return Receipt(row.id, row.org_id, row.version, row.created_at, row.changed_at)


def _send(ctx: Context, user: User, topic: str, medium: str, values: dict[str, str]) -> None:
    login = UserRow.objects.values_list("preferred_login_name", flat=True).get(instance_id=ctx.instance, id=user.id)
    post(
        ctx,
        user_id=user.id,
        medium=medium,
        to=_recipient(user, medium),
        topic=topic,
        language=known_language(user.profile.preferred_language) or settings_of(ctx.instance).default_language,
        values={"name": user.profile.display_name or user.profile.first_name, "login": login, **values},
    )


def _recipient(user: User, medium: str) -> str:
    return user.phone if medium == SMS else user.email


def _link(ctx: Context, user: User, purpose: str, code: str, template: str) -> str:
    """Our page at the instance's own origin, or the caller's template with its places filled (checklist H01)."""
    if not template:
        query = urlencode({"userId": user.id, "code": code})
        return f"{ctx.links_url}/ui/v2/login/{PAGES[purpose]}?{query}"
    values = {"UserID": user.id, "LoginName": user.user_name, "Code": code, "OrgID": user.owner, "CodeID": ""}
    link = template
    for place in PLACES:
        link = link.replace("{{." + place + "}}", quote(values[place], safe=""))
    parts = urlsplit(link)
    if parts.scheme not in ("https", "http") or not parts.netloc or "{{" in link:
        raise InvalidInput("user.url_template_invalid", field="urlTemplate", reason=template[:100])
    return link


def _proved(ctx: Context, user_id: str, code: str, *purposes: str, device: str = "") -> Proof:
    """The code of one of these purposes that this is. A wrong one counts for each of them, and a stranger's for the network;
    a caller with a token is counted for itself, and may serve many people from one address.

    Raises InvalidInput, the same and after the same work for unknown users, old and wrong codes and too many tries;
    ResourceExhausted for a network or an address that has sent too many wrong ones.
    """
    rows = {row.purpose: row for row in CodeRow.objects.filter(_of(ctx, user_id), purpose__in=purposes)}
    known = device if any(tries.is_spared(row, device) for row in rows.values()) else ""
    is_nobody = not ctx.actor
    if is_nobody:
        _must_not_wait(ctx, known)
    given = digest(code.strip().upper())
    is_right = lambda one: tries.is_right(ctx, _waiting(ctx, user_id, one), rows.get(one), given, device)
    right = next(filter(is_right, purposes), "")
    if not right or Unit(ctx).load(User, user_id).state is not UserState.ACTIVE:
        if is_nobody:
            _count_wrong(ctx, known)
        raise _wrong()
    return Proof(user_id, right, given, by_sms=rows[right].medium == SMS)


def _must_not_wait(ctx: Context, device: str) -> None:
    """Refuse a network or an address that has sent too many wrong codes; a browser that asked is counted for itself."""
    attempts.must_not_wait(ctx, device=device)
    if not device:
        rates.may_try_code(ctx.instance, ctx.origin.ip)


def _count_wrong(ctx: Context, device: str) -> None:
    attempts.failed(ctx, device=device)
    if not device:
        rates.tried_wrong_code(ctx.instance, ctx.origin.ip)


def _wrong() -> InvalidInput:
    return InvalidInput("user.code_invalid", field="verificationCode")
