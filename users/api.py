"""Methods of zitadel.user.v2.UserService that change and show users."""

from collections.abc import Mapping
from typing import Any

from iam.api.gen import object_v2, user_v2
from iam.api.lists import details, row_details, stamp
from iam.api.methods import Service
from iam.kernel.change import Receipt, together
from iam.kernel.context import Context
from iam.kernel.errors import Unimplemented
from orgs.queries import find_org_of_domain
from users import commands, queries
from users.api_codes import codes_of, email_code, phone_code
from users.api_lists import shown
from users.commands import Address, Changes, NewPassword
from users.domain.profile import Profile

users = Service("zitadel.user.v2.UserService")
COLUMNS = {"given_name": "first_name", "family_name": "last_name"}
PASSWORD = 1  # zitadel.user.v2.AuthenticationMethodType


@users.method
def CreateUser(ctx: Context, request: Any) -> Any:
    """Create a person or a service user."""
    metadata = {entry.key: entry.value for entry in (*request.human.metadata, *request.metadata)}
    if request.HasField("human"):
        with together(ctx):
            receipt = add_human_of(ctx, request.human, request, request.organization_id, metadata)
            codes = codes_of(ctx, receipt.id, request.human)
        return user_v2.CreateUserResponse(id=receipt.id, creation_date=stamp(receipt.created_at), **codes)
    receipt = commands.add_machine(
        ctx,
        org_id=request.organization_id,
        user_id=request.user_id,
        user_name=request.username,
        name=request.machine.name,
        description=request.machine.description,
        access_token_type=request.machine.access_token_type,
        metadata=metadata,
    )
    return user_v2.CreateUserResponse(id=receipt.id, creation_date=stamp(receipt.created_at))


@users.method
def AddHumanUser(ctx: Context, request: Any) -> Any:
    """Create a person (the older method)."""
    org = request.organization.org_id or (
        find_org_of_domain(ctx.instance, request.organization.org_domain)
        if request.organization.org_domain
        else ctx.org_id
    )
    with together(ctx):
        receipt = add_human_of(ctx, request, request, org, {entry.key: entry.value for entry in request.metadata})
        codes = codes_of(ctx, receipt.id, request)
    return user_v2.AddHumanUserResponse(user_id=receipt.id, details=details(object_v2.Details, receipt), **codes)


def add_human_of(ctx: Context, human: Any, request: Any, org_id: str, metadata: Mapping[str, bytes]) -> Any:
    """Create the person that a message describes."""
    must_be_offered(human, "idp_links", "totp_secret")
    profile = human.profile
    return commands.add_human(
        ctx,
        org_id=org_id,
        user_id=request.user_id,
        user_name=request.username,
        profile=Profile(
            profile.given_name,
            profile.family_name,
            profile.nick_name,
            profile.display_name,
            profile.preferred_language,
            profile.gender,
        ),
        email=human.email.email,
        email_verified=human.email.is_verified,
        phone=human.phone.phone,
        phone_verified=human.phone.is_verified,
        password=human.password.password,
        password_hash=human.hashed_password.hash,
        change_required=human.password.change_required or human.hashed_password.change_required,
        metadata=metadata,
    )


def must_be_offered(message: Any, *fields: str) -> None:
    """What is not understood is refused, not dropped; raises Unimplemented."""
    for field in fields:
        if getattr(message, field):
            raise Unimplemented("user.part_unsupported", field=field)


@users.method
def GetUserByID(ctx: Context, request: Any) -> Any:
    """One user."""
    row = queries.get_user(ctx, user_id=request.user_id)
    return user_v2.GetUserByIDResponse(user=shown(row), details=row_details(object_v2.Details, row, row.org_id))


@users.method
def UpdateUser(ctx: Context, request: Any) -> Any:
    """Change a user; only what is sent."""
    human, machine = request.human, request.machine
    changes = Changes(
        user_name=request.username,
        machine={field.name: value for field, value in machine.ListFields()},
        metadata={entry.key: entry.value for entry in request.metadata},
        **(_changes(human) if request.HasField("human") else {}),
    )
    receipt, codes = _updated(ctx, request.user_id, changes, human)
    return user_v2.UpdateUserResponse(change_date=stamp(receipt.changed_at), **codes)


@users.method
def UpdateHumanUser(ctx: Context, request: Any) -> Any:
    """Change a person (the older method, which takes no number away: an empty one says nothing)."""
    if not request.phone.phone:
        request.ClearField("phone")
    changes = Changes(user_name=request.username, **_changes(request))
    receipt, codes = _updated(ctx, request.user_id, changes, request)
    return user_v2.UpdateHumanUserResponse(details=details(object_v2.Details, receipt), **codes)


def _updated(ctx: Context, user_id: str, changes: Changes, human: Any) -> tuple[Receipt, dict[str, str]]:
    """Change a user and make the codes for the addresses that the message sets: both, or neither."""
    codes: dict[str, str] = {}
    receipt = commands.update_user(
        ctx, user_id=user_id, changes=changes, also=lambda: codes.update(codes_of(ctx, user_id, human))
    )
    return receipt, codes


def _changes(human: Any) -> dict[str, Any]:
    """What a message changes of a person."""
    changes: dict[str, Any] = {
        "profile": {COLUMNS.get(field.name, field.name): value for field, value in human.profile.ListFields()}
    }
    if human.HasField("email"):
        changes["email"] = Address(human.email.email, human.email.is_verified)
    if human.HasField("phone"):
        changes["phone"] = Address(human.phone.phone, human.phone.is_verified)
    if human.HasField("password"):
        sent = human.password
        changes["password"] = new_password(sent.password, sent, sent.hashed_password)
    return changes


def new_password(sent: Any, proof: Any, hashed: Any = None) -> NewPassword:
    """The password that a message sets, with its proof."""
    return NewPassword(
        sent.password,
        hashed.hash if hashed else "",
        sent.change_required or bool(hashed and hashed.change_required),
        current=proof.current_password,
        code=proof.verification_code,
    )


@users.method
def DeactivateUser(ctx: Context, request: Any) -> Any:
    """Stop a user from signing in."""
    receipt = commands.deactivate_user(ctx, user_id=request.user_id)
    return user_v2.DeactivateUserResponse(details=details(object_v2.Details, receipt))


@users.method
def ReactivateUser(ctx: Context, request: Any) -> Any:
    """Let a user sign in again."""
    receipt = commands.reactivate_user(ctx, user_id=request.user_id)
    return user_v2.ReactivateUserResponse(details=details(object_v2.Details, receipt))


@users.method
def LockUser(ctx: Context, request: Any) -> Any:
    """Stop sign-ins until unlocked."""
    receipt = commands.lock_user(ctx, user_id=request.user_id)
    return user_v2.LockUserResponse(details=details(object_v2.Details, receipt))


@users.method
def UnlockUser(ctx: Context, request: Any) -> Any:
    """Let a locked user sign in again."""
    receipt = commands.unlock_user(ctx, user_id=request.user_id)
    return user_v2.UnlockUserResponse(details=details(object_v2.Details, receipt))


@users.method
def DeleteUser(ctx: Context, request: Any) -> Any:
    """Delete a user."""
    receipt = commands.remove_user(ctx, user_id=request.user_id)
    return user_v2.DeleteUserResponse(details=details(object_v2.Details, receipt))


@users.method
def SetEmail(ctx: Context, request: Any) -> Any:
    """Set a person's address."""
    with together(ctx):
        receipt = commands.change_email(
            ctx, user_id=request.user_id, email=request.email, verified=request.is_verified, must_differ=True
        )
        code = "" if request.is_verified else email_code(ctx, request.user_id, request)
    return user_v2.SetEmailResponse(
        details=details(object_v2.Details, receipt), **({"verification_code": code} if code else {})
    )


@users.method
def SetPhone(ctx: Context, request: Any) -> Any:
    """Set a person's number."""
    with together(ctx):
        receipt = commands.change_phone(
            ctx, user_id=request.user_id, phone=request.phone, verified=request.is_verified, must_differ=True
        )
        code = "" if request.is_verified else phone_code(ctx, request.user_id, request)
    return user_v2.SetPhoneResponse(
        details=details(object_v2.Details, receipt), **({"verification_code": code} if code else {})
    )


@users.method
def RemovePhone(ctx: Context, request: Any) -> Any:
    """Take a person's number away."""
    receipt = commands.change_phone(ctx, user_id=request.user_id, phone="", must_differ=True)
    return user_v2.RemovePhoneResponse(details=details(object_v2.Details, receipt))


@users.method
def SetPassword(ctx: Context, request: Any) -> Any:
    """Set a password as an administrator, or one's own with the one before, or with a code."""
    changes = Changes(password=new_password(request.new_password, request))
    receipt = commands.update_user(ctx, user_id=request.user_id, changes=changes)
    return user_v2.SetPasswordResponse(details=details(object_v2.Details, receipt))


@users.method
def HumanMFAInitSkipped(ctx: Context, request: Any) -> Any:
    """Note that a person put off setting up a second factor."""
    receipt = commands.skip_mfa_init(ctx, user_id=request.user_id)
    return user_v2.HumanMFAInitSkippedResponse(details=details(object_v2.Details, receipt))


@users.method
def ListAuthenticationMethodTypes(ctx: Context, request: Any) -> Any:
    """How a person can sign in. A domain narrows passkeys and security keys only; a password is good everywhere."""
    row = queries.get_user(ctx, user_id=request.user_id)
    kinds = [PASSWORD] if row.password_hash else []
    answer = user_v2.ListAuthenticationMethodTypesResponse(auth_method_types=kinds)
    answer.details.total_result = len(kinds)
    answer.details.timestamp.FromDatetime(ctx.now())
    return answer
