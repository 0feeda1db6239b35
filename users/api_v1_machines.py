"""zitadel.management.v1.ManagementService: service users and what they prove themselves with."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.lists import moment, paged
from iam.api.methods import Service
from iam.kernel.context import Context
from users import commands, queries
from users.api_v1_shown import done, got, listed, shown_key, shown_pat, within
from users.commands import Changes
from users.commands.credentials import NEVER

older = Service("zitadel.management.v1.ManagementService")


@older.method
def UpdateMachine(ctx: Context, request: Any) -> Any:
    """Set name, description and kind of token of a service user."""
    machine = {name: getattr(request, name) for name in ("name", "description", "access_token_type")}
    receipt = commands.update_user(ctx, user_id=within(ctx, request.user_id), changes=Changes(machine=machine))
    return done(management.UpdateMachineResponse, receipt)


@older.method
def GenerateMachineSecret(ctx: Context, request: Any) -> Any:
    """Give a service user a client secret, shown this once."""
    row = got(ctx, request.user_id)
    made = commands.set_machine_secret(ctx, user_id=row.id)
    return done(
        management.GenerateMachineSecretResponse, made.receipt, client_id=row.user_name, client_secret=made.secret
    )


@older.method
def RemoveMachineSecret(ctx: Context, request: Any) -> Any:
    """Take the client secret."""
    receipt = commands.remove_machine_secret(ctx, user_id=within(ctx, request.user_id))
    return done(management.RemoveMachineSecretResponse, receipt)


@older.method
def AddMachineKey(ctx: Context, request: Any) -> Any:
    """Give a service user a key; a new private half is shown this once as the key file of the clients."""
    ends = moment(request, "expiration_date") or NEVER
    made = commands.add_machine_key(
        ctx, user_id=within(ctx, request.user_id), public_key=request.public_key, expires_at=ends
    )
    file = commands.key_file(made, request.user_id).encode() if made.secret else b""
    return done(management.AddMachineKeyResponse, made.receipt, key_id=made.id, key_details=file)


@older.method
def GetMachineKeyByIDs(ctx: Context, request: Any) -> Any:
    """One key."""
    row = queries.get_key(ctx, user_id=within(ctx, request.user_id), key_id=request.key_id)
    return management.GetMachineKeyByIDsResponse(key=shown_key(row))


@older.method
def ListMachineKeys(ctx: Context, request: Any) -> Any:
    """The keys of a service user."""
    rows = queries.list_keys(ctx, user_id=within(ctx, request.user_id))
    found, total = paged(rows, request.query, columns={})
    return management.ListMachineKeysResponse(details=listed(ctx, total), result=[shown_key(row) for row in found])


@older.method
def RemoveMachineKey(ctx: Context, request: Any) -> Any:
    """Take a key."""
    receipt = commands.remove_machine_key(ctx, user_id=within(ctx, request.user_id), key_id=request.key_id)
    return done(management.RemoveMachineKeyResponse, receipt)


@older.method
def AddPersonalAccessToken(ctx: Context, request: Any) -> Any:
    """Give a service user a token, shown this once."""
    ends = moment(request, "expiration_date") or NEVER
    made = commands.add_pat(ctx, user_id=within(ctx, request.user_id), expires_at=ends)
    return done(management.AddPersonalAccessTokenResponse, made.receipt, token_id=made.id, token=made.secret)


@older.method
def GetPersonalAccessTokenByIDs(ctx: Context, request: Any) -> Any:
    """One token without its text."""
    row = queries.get_pat(ctx, user_id=within(ctx, request.user_id), pat_id=request.token_id)
    return management.GetPersonalAccessTokenByIDsResponse(token=shown_pat(row))


@older.method
def ListPersonalAccessTokens(ctx: Context, request: Any) -> Any:
    """The tokens of a service user without their texts."""
    rows = queries.list_pats(ctx, user_id=within(ctx, request.user_id))
    found, total = paged(rows, request.query, columns={})
    shown = [shown_pat(row) for row in found]
    return management.ListPersonalAccessTokensResponse(details=listed(ctx, total), result=shown)


@older.method
def RemovePersonalAccessToken(ctx: Context, request: Any) -> Any:
    """Take a token."""
    receipt = commands.remove_pat(ctx, user_id=within(ctx, request.user_id), pat_id=request.token_id)
    return done(management.RemovePersonalAccessTokenResponse, receipt)
