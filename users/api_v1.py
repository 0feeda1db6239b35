"""zitadel.management.v1.ManagementService: users as such. The same commands and queries as in v2."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.lists import paged
from iam.api.methods import Service
from iam.kernel.change import together
from iam.kernel.context import Context
from users import commands, queries
from users.api import must_be_offered
from users.api_lists import SORTS, condition
from users.api_v1_shown import changes, done, got, listed, profile_of, shown, within
from users.commands.codes import send_first_codes

older = Service("zitadel.management.v1.ManagementService")


@older.method
def GetUserByID(ctx: Context, request: Any) -> Any:
    """One user."""
    return management.GetUserByIDResponse(user=shown(got(ctx, request.id)))


@older.method
def GetUserByLoginNameGlobal(ctx: Context, request: Any) -> Any:
    """The user of a login name, in any organization that the caller may look into."""
    row = queries.get_user_by_login(ctx, login_name=request.login_name)
    return management.GetUserByLoginNameGlobalResponse(user=shown(row))


@older.method
def ListUsers(ctx: Context, request: Any) -> Any:
    """The users of the organization that the request acts in."""
    rows = queries.list_users(ctx).filter(org_id=ctx.org_id)
    for query in request.queries:
        rows = rows.filter(condition(ctx, query))
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS)
    return management.ListUsersResponse(
        details=listed(ctx, total), sorting_column=request.sorting_column, result=[shown(row) for row in found]
    )


@older.method
def IsUserUnique(ctx: Context, request: Any) -> Any:
    """Whether a user name is free, and an address is nobody's in the organization."""
    unique = queries.is_user_unique(ctx, user_name=request.user_name, email=request.email)
    return management.IsUserUniqueResponse(is_unique=unique)


@older.method
def ListUserChanges(ctx: Context, request: Any) -> Any:
    """What happened to a user."""
    told = changes(ctx, within(ctx, request.user_id), request.query)
    return management.ListUserChangesResponse(result=told)


@older.method
def AddHumanUser(ctx: Context, request: Any) -> Any:
    """Create a person; an initial password has to be changed."""
    receipt = _add(ctx, request, password=request.initial_password, change_required=bool(request.initial_password))
    return done(management.AddHumanUserResponse, receipt, user_id=receipt.id)


@older.method
def ImportHumanUser(ctx: Context, request: Any) -> Any:
    """Create a person with a password in clear or hashed."""
    must_be_offered(request, "request_passwordless_registration", "otp_code", "idps", "recovery_codes")
    receipt = _add(
        ctx,
        request,
        password=request.password,
        password_hash=request.hashed_password.value,
        change_required=request.password_change_required,
    )
    return done(management.ImportHumanUserResponse, receipt, user_id=receipt.id)


def _add(ctx: Context, request: Any, **secret: Any) -> Any:
    with together(ctx):
        receipt = commands.add_human(
            ctx,
            org_id=ctx.org_id,
            user_name=request.user_name,
            profile=profile_of(request.profile),
            email=request.email.email,
            email_verified=request.email.is_email_verified,
            phone=request.phone.phone,
            phone_verified=request.phone.is_phone_verified,
            **secret,
        )
        send_first_codes(ctx, user_id=receipt.id)
    return receipt


@older.method
def AddMachineUser(ctx: Context, request: Any) -> Any:
    """Create a service user."""
    receipt = commands.add_machine(
        ctx,
        org_id=ctx.org_id,
        user_id=request.user_id,
        user_name=request.user_name,
        name=request.name,
        description=request.description,
        access_token_type=request.access_token_type,
    )
    return done(management.AddMachineUserResponse, receipt, user_id=receipt.id)


@older.method
def UpdateUserName(ctx: Context, request: Any) -> Any:
    """Give a user another user name."""
    receipt = commands.rename_user(ctx, user_id=within(ctx, request.user_id), user_name=request.user_name)
    return done(management.UpdateUserNameResponse, receipt)


@older.method
def DeactivateUser(ctx: Context, request: Any) -> Any:
    """Stop a user from signing in."""
    receipt = commands.deactivate_user(ctx, user_id=within(ctx, request.id))
    return done(management.DeactivateUserResponse, receipt)


@older.method
def ReactivateUser(ctx: Context, request: Any) -> Any:
    """Let a user sign in again."""
    receipt = commands.reactivate_user(ctx, user_id=within(ctx, request.id))
    return done(management.ReactivateUserResponse, receipt)


@older.method
def LockUser(ctx: Context, request: Any) -> Any:
    """Stop sign-ins until unlocked."""
    return done(management.LockUserResponse, commands.lock_user(ctx, user_id=within(ctx, request.id)))


@older.method
def UnlockUser(ctx: Context, request: Any) -> Any:
    """Let a locked user sign in again."""
    return done(management.UnlockUserResponse, commands.unlock_user(ctx, user_id=within(ctx, request.id)))


@older.method
def RemoveUser(ctx: Context, request: Any) -> Any:
    """Delete a user."""
    return done(management.RemoveUserResponse, commands.remove_user(ctx, user_id=within(ctx, request.id)))
