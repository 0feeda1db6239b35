"""zitadel.user.v2.UserService: codes for addresses, passwords and invitations."""

from typing import Any

from iam.api.gen import object_v2, user_v2
from iam.api.lists import details
from iam.api.methods import Service
from iam.kernel.context import Context
from users import queries
from users.commands import codes
from users.commands.codes import Requested, Wish

users = Service("zitadel.user.v2.UserService")
SMS = 2  # zitadel.user.v2.NotificationType


def wish_of(message: Any) -> Wish:
    """How the caller wants a code to travel; sent to the person unless it is asked back."""
    returned = _has(message, "return_code")
    sent = next((getattr(message, name) for name in ("send_code", "send_link") if _has(message, name)), None)
    by_sms = getattr(sent, "notification_type", 0) == SMS
    return Wish(returned, getattr(sent, "url_template", ""), getattr(sent, "application_name", ""), by_sms)


def _has(message: Any, field: str) -> bool:
    return field in message.DESCRIPTOR.fields_by_name and message.HasField(field)


def email_code(ctx: Context, user_id: str, message: Any) -> str:
    """After an address was set: a code for it unless it counts as verified; answers one that was asked back."""
    row = queries.get_user(ctx, user_id=user_id)
    if not row.email or row.email_verified:
        return ""
    return codes.request_email_code(ctx, user_id=user_id, wish=wish_of(message)).code


def phone_code(ctx: Context, user_id: str, message: Any) -> str:
    """After a number was set: a code for it unless it counts as verified; answers one that was asked back."""
    row = queries.get_user(ctx, user_id=user_id)
    if not row.phone or row.phone_verified:
        return ""
    return codes.request_phone_code(ctx, user_id=user_id, wish=wish_of(message)).code


def codes_of(ctx: Context, user_id: str, human: Any) -> dict[str, str]:
    """Codes for the addresses that a message sets and does not call verified; answers those that were asked back."""
    made = {}
    if human.HasField("email") and not human.email.is_verified:
        made["email_code"] = email_code(ctx, user_id, human.email)
    if human.phone.phone and not human.phone.is_verified:
        made["phone_code"] = phone_code(ctx, user_id, human.phone)
    return {name: code for name, code in made.items() if code}


def _answer(response: Any, made: Requested, field: str = "verification_code") -> Any:
    told = {field: made.code} if made.code else {}
    return response(details=details(object_v2.Details, made.receipt), **told)


@users.method
def SendEmailCode(ctx: Context, request: Any) -> Any:
    """Make a code for the address."""
    made = codes.request_email_code(ctx, user_id=request.user_id, wish=wish_of(request))
    return _answer(user_v2.SendEmailCodeResponse, made)


@users.method
def ResendEmailCode(ctx: Context, request: Any) -> Any:
    """Make another code for the address; the one before counts no more."""
    made = codes.resend_email_code(ctx, user_id=request.user_id, wish=wish_of(request))
    return _answer(user_v2.ResendEmailCodeResponse, made)


@users.method
def VerifyEmail(ctx: Context, request: Any) -> Any:
    """Prove the address."""
    receipt = codes.verify_email(ctx, user_id=request.user_id, code=request.verification_code)
    return user_v2.VerifyEmailResponse(details=details(object_v2.Details, receipt))


@users.method
def ResendPhoneCode(ctx: Context, request: Any) -> Any:
    """Make another code for the number."""
    made = codes.request_phone_code(ctx, user_id=request.user_id, wish=wish_of(request))
    return _answer(user_v2.ResendPhoneCodeResponse, made)


@users.method
def VerifyPhone(ctx: Context, request: Any) -> Any:
    """Prove the number."""
    receipt = codes.verify_phone(ctx, user_id=request.user_id, code=request.verification_code)
    return user_v2.VerifyPhoneResponse(details=details(object_v2.Details, receipt))


@users.method
def PasswordReset(ctx: Context, request: Any) -> Any:
    """Make a code that lets the person set a password."""
    made = codes.request_password_code(ctx, user_id=request.user_id, wish=wish_of(request))
    return _answer(user_v2.PasswordResetResponse, made)


@users.method
def CreateInviteCode(ctx: Context, request: Any) -> Any:
    """Make a code that lets a new person set a password."""
    made = codes.request_invite_code(ctx, user_id=request.user_id, wish=wish_of(request))
    return _answer(user_v2.CreateInviteCodeResponse, made, "invite_code")


@users.method
def ResendInviteCode(ctx: Context, request: Any) -> Any:
    """Send the invitation once more with another code; the one before counts no more."""
    made = codes.resend_invite_code(ctx, user_id=request.user_id)
    return user_v2.ResendInviteCodeResponse(details=details(object_v2.Details, made.receipt))


@users.method
def VerifyInviteCode(ctx: Context, request: Any) -> Any:
    """Accept the invitation."""
    receipt = codes.verify_invite(ctx, user_id=request.user_id, code=request.verification_code)
    return user_v2.VerifyInviteCodeResponse(details=details(object_v2.Details, receipt))
