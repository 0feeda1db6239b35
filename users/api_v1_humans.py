"""zitadel.management.v1.ManagementService: what is known of people, and their passwords."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.methods import Service
from iam.kernel.change import together
from iam.kernel.context import Context
from users import commands
from users.api_v1_shown import (
    done,
    got_person,
    of_row,
    profile_of,
    shown_email,
    shown_phone,
    shown_profile,
    within,
)
from users.commands import codes
from users.commands.codes import Wish

older = Service("zitadel.management.v1.ManagementService")
BY_SMS = 1  # SendHumanResetPasswordNotificationRequest.Type
SENT = Wish()


@older.method
def GetHumanProfile(ctx: Context, request: Any) -> Any:
    """What is known of a person."""
    row = got_person(ctx, request.user_id)
    return management.GetHumanProfileResponse(details=of_row(row), profile=shown_profile(row))


@older.method
def GetHumanEmail(ctx: Context, request: Any) -> Any:
    """A person's address."""
    row = got_person(ctx, request.user_id)
    return management.GetHumanEmailResponse(details=of_row(row), email=shown_email(row))


@older.method
def GetHumanPhone(ctx: Context, request: Any) -> Any:
    """A person's number."""
    row = got_person(ctx, request.user_id)
    return management.GetHumanPhoneResponse(details=of_row(row), phone=shown_phone(row))


@older.method
def UpdateHumanProfile(ctx: Context, request: Any) -> Any:
    """Set what is known of a person."""
    receipt = commands.change_profile(ctx, user_id=within(ctx, request.user_id), profile=profile_of(request))
    return done(management.UpdateHumanProfileResponse, receipt)


@older.method
def UpdateHumanEmail(ctx: Context, request: Any) -> Any:
    """Set a person's address; one that is not called verified gets a code."""
    id, verified = within(ctx, request.user_id), request.is_email_verified
    with together(ctx):
        receipt = commands.change_email(ctx, user_id=id, email=request.email, verified=verified)
        codes.send_address_codes(ctx, user_id=id, email=True)
    return done(management.UpdateHumanEmailResponse, receipt)


@older.method
def UpdateHumanPhone(ctx: Context, request: Any) -> Any:
    """Set a person's number; one that is not called verified gets a code."""
    id, verified = within(ctx, request.user_id), request.is_phone_verified
    with together(ctx):
        receipt = commands.change_phone(ctx, user_id=id, phone=request.phone, verified=verified)
        codes.send_address_codes(ctx, user_id=id, phone=True)
    return done(management.UpdateHumanPhoneResponse, receipt)


@older.method
def RemoveHumanPhone(ctx: Context, request: Any) -> Any:
    """Take a person's number away."""
    receipt = commands.change_phone(ctx, user_id=within(ctx, request.user_id), phone="", must_differ=True)
    return done(management.RemoveHumanPhoneResponse, receipt)


@older.method
def SetHumanInitialPassword(ctx: Context, request: Any) -> Any:
    """Set a password that has to be changed."""
    id = within(ctx, request.user_id)
    receipt = commands.set_password(ctx, user_id=id, password=request.password, change_required=True)
    return done(management.SetHumanInitialPasswordResponse, receipt)


@older.method
def SetHumanPassword(ctx: Context, request: Any) -> Any:
    """Set a password; it has to be changed unless told otherwise."""
    id, required = within(ctx, request.user_id), not request.no_change_required
    receipt = commands.set_password(ctx, user_id=id, password=request.password, change_required=required)
    return done(management.SetHumanPasswordResponse, receipt)


@older.method
def SendHumanResetPasswordNotification(ctx: Context, request: Any) -> Any:
    """Send a code that lets the person set a password."""
    wish = Wish(by_sms=request.type == BY_SMS)
    made = codes.request_password_code(ctx, user_id=within(ctx, request.user_id), wish=wish)
    return done(management.SendHumanResetPasswordNotificationResponse, made.receipt)


@older.method
def ResendHumanInitialization(ctx: Context, request: Any) -> Any:
    """Invite a person without a password once more, at another address if one is given."""
    id = within(ctx, request.user_id)
    with together(ctx):
        if request.email:
            commands.change_email(ctx, user_id=id, email=request.email)
        made = codes.request_invite_code(ctx, user_id=id, wish=SENT)
    return done(management.ResendHumanInitializationResponse, made.receipt)


@older.method
def ResendHumanEmailVerification(ctx: Context, request: Any) -> Any:
    """Send another code for the address."""
    made = codes.resend_email_code(ctx, user_id=within(ctx, request.user_id), wish=SENT)
    return done(management.ResendHumanEmailVerificationResponse, made.receipt)


@older.method
def ResendHumanPhoneVerification(ctx: Context, request: Any) -> Any:
    """Send another code for the number."""
    made = codes.request_phone_code(ctx, user_id=within(ctx, request.user_id), wish=SENT)
    return done(management.ResendHumanPhoneVerificationResponse, made.receipt)
