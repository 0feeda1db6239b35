"""zitadel.auth.v1.AuthService: what people see and change of themselves."""

from typing import Any

from iam.api.gen import auth_v1 as auth
from iam.api.gen import user_v1, v1
from iam.api.lists import row_details
from iam.api.methods import Service
from iam.kernel.change import together
from iam.kernel.context import Context
from iam.kernel.errors import FailedPrecondition
from users import commands, queries
from users.api_v1_shown import (
    changes,
    done,
    metadata_page,
    of_row,
    profile_of,
    shown,
    shown_email,
    shown_metadata,
    shown_phone,
    shown_profile,
)
from users.commands import codes
from users.commands.codes import Wish
from users.models import UserRow

mine = Service("zitadel.auth.v1.AuthService")
ACTIVE = 1  # zitadel.user.v1.SessionState
SENT = Wish()


def _me(ctx: Context) -> UserRow:
    return queries.get_user(ctx, user_id=ctx.actor)


def _me_as_person(ctx: Context) -> UserRow:
    """Oneself; raises FailedPrecondition for a service user, which has none of what is asked for."""
    me = _me(ctx)
    if me.kind != "human":
        raise FailedPrecondition("user.not_human")
    return me


@mine.method
def GetMyUser(ctx: Context, request: Any) -> Any:
    """Oneself, and when one signed in last."""
    answer = auth.GetMyUserResponse(user=shown(_me(ctx)))
    if last := queries.last_sign_in(ctx):
        answer.last_login.FromDatetime(last)
    return answer


@mine.method
def RemoveMyUser(ctx: Context, request: Any) -> Any:
    """Delete oneself."""
    return done(auth.RemoveMyUserResponse, commands.remove_own_user(ctx))


@mine.method
def ListMyUserChanges(ctx: Context, request: Any) -> Any:
    """What happened to oneself."""
    return auth.ListMyUserChangesResponse(result=changes(ctx, ctx.actor, request.query))


@mine.method
def ListMyUserSessions(ctx: Context, request: Any) -> Any:
    """One's living sessions."""
    me, answer = _me(ctx), auth.ListMyUserSessionsResponse()
    for row in queries.list_sessions(ctx, user_id=me.id).order_by("-changed_at", "id"):
        one = user_v1.Session(session_id=row.id, agent_id=row.fingerprint_id, auth_state=ACTIVE, user_id=me.id)
        one.user_name, one.login_name, one.display_name = me.user_name, me.preferred_login_name, me.shown_name
        one.details.CopyFrom(row_details(v1.ObjectDetails, row, me.org_id))
        answer.result.append(one)
    return answer


@mine.method
def ListMyMetadata(ctx: Context, request: Any) -> Any:
    """The values kept for oneself."""
    return auth.ListMyMetadataResponse(**metadata_page(ctx, _me(ctx), request))


@mine.method
def GetMyMetadata(ctx: Context, request: Any) -> Any:
    """One value kept for oneself."""
    me = _me(ctx)
    row = queries.get_metadata(ctx, user_id=me.id, key=request.key)
    return auth.GetMyMetadataResponse(metadata=shown_metadata(row, me.org_id))


@mine.method
def UpdateMyUserName(ctx: Context, request: Any) -> Any:
    """Take another user name."""
    return done(
        auth.UpdateMyUserNameResponse, commands.rename_user(ctx, user_id=ctx.actor, user_name=request.user_name)
    )


@mine.method
def UpdateMyPassword(ctx: Context, request: Any) -> Any:
    """Set another password with the one before."""
    receipt = commands.change_own_password(
        ctx, user_id=ctx.actor, current=request.old_password, password=request.new_password
    )
    return done(auth.UpdateMyPasswordResponse, receipt)


@mine.method
def GetMyProfile(ctx: Context, request: Any) -> Any:
    """What is known of oneself."""
    me = _me_as_person(ctx)
    return auth.GetMyProfileResponse(details=of_row(me), profile=shown_profile(me))


@mine.method
def UpdateMyProfile(ctx: Context, request: Any) -> Any:
    """Set what is known of oneself."""
    receipt = commands.change_profile(ctx, user_id=ctx.actor, profile=profile_of(request))
    return done(auth.UpdateMyProfileResponse, receipt)


@mine.method
def GetMyEmail(ctx: Context, request: Any) -> Any:
    """One's address."""
    me = _me_as_person(ctx)
    return auth.GetMyEmailResponse(details=of_row(me), email=shown_email(me))


@mine.method
def SetMyEmail(ctx: Context, request: Any) -> Any:
    """Set one's address; a code goes to it."""
    with together(ctx):
        receipt = commands.change_email(ctx, user_id=ctx.actor, email=request.email)
        codes.send_address_codes(ctx, user_id=ctx.actor, email=True)
    return done(auth.SetMyEmailResponse, receipt)


@mine.method
def VerifyMyEmail(ctx: Context, request: Any) -> Any:
    """Prove one's address."""
    return done(auth.VerifyMyEmailResponse, codes.verify_email(ctx, user_id=ctx.actor, code=request.code))


@mine.method
def ResendMyEmailVerification(ctx: Context, request: Any) -> Any:
    """Another code for one's address."""
    made = codes.resend_email_code(ctx, user_id=ctx.actor, wish=SENT)
    return done(auth.ResendMyEmailVerificationResponse, made.receipt)


@mine.method
def GetMyPhone(ctx: Context, request: Any) -> Any:
    """One's number."""
    me = _me_as_person(ctx)
    return auth.GetMyPhoneResponse(details=of_row(me), phone=shown_phone(me))


@mine.method
def SetMyPhone(ctx: Context, request: Any) -> Any:
    """Set one's number; a code goes to it."""
    with together(ctx):
        receipt = commands.change_phone(ctx, user_id=ctx.actor, phone=request.phone)
        codes.send_address_codes(ctx, user_id=ctx.actor, phone=True)
    return done(auth.SetMyPhoneResponse, receipt)


@mine.method
def VerifyMyPhone(ctx: Context, request: Any) -> Any:
    """Prove one's number."""
    return done(auth.VerifyMyPhoneResponse, codes.verify_phone(ctx, user_id=ctx.actor, code=request.code))


@mine.method
def ResendMyPhoneVerification(ctx: Context, request: Any) -> Any:
    """Another code for one's number."""
    made = codes.request_phone_code(ctx, user_id=ctx.actor, wish=SENT)
    return done(auth.ResendMyPhoneVerificationResponse, made.receipt)


@mine.method
def RemoveMyPhone(ctx: Context, request: Any) -> Any:
    """Take one's number away."""
    return done(auth.RemoveMyPhoneResponse, commands.change_phone(ctx, user_id=ctx.actor, phone="", must_differ=True))
