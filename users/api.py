"""Methods of zitadel.user.v2.UserService that change and show users."""

from typing import Any

from iam.api.gen import object_v2, user_v2
from iam.api.lists import details, moment, row_details, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from orgs.queries import find_org_of_domain
from users import commands, queries
from users.api_codes import email_code, phone_code
from users.api_lists import shown
from users.commands.codes import set_password_by_code
from users.domain.profile import Profile

users = Service("zitadel.user.v2.UserService")


@users.method
def CreateUser(ctx: Context, request: Any) -> Any:
    """Create a person or a service user."""
    if request.HasField("machine"):
        receipt = commands.add_machine(
            ctx,
            org_id=request.organization_id,
            user_id=request.user_id,
            user_name=request.username,
            name=request.machine.name,
            description=request.machine.description,
            access_token_type=request.machine.access_token_type,
        )
    else:
        receipt = add_human_of(ctx, request.human, request, request.organization_id)
    _metadata(ctx, receipt.id, request.metadata)
    codes = _codes(ctx, receipt.id, request.human) if request.HasField("human") else {}
    return user_v2.CreateUserResponse(id=receipt.id, creation_date=stamp(receipt.created_at), **codes)


@users.method
def AddHumanUser(ctx: Context, request: Any) -> Any:
    """Create a person (the older method)."""
    org = request.organization.org_id or (
        find_org_of_domain(ctx.instance, request.organization.org_domain)
        if request.organization.org_domain
        else ctx.org_id
    )
    receipt = add_human_of(ctx, request, request, org)
    _metadata(ctx, receipt.id, request.metadata)
    codes = _codes(ctx, receipt.id, request)
    return user_v2.AddHumanUserResponse(user_id=receipt.id, details=details(object_v2.Details, receipt), **codes)


def _codes(ctx: Context, id: str, human: Any) -> dict[str, str]:
    """Codes for addresses that are not verified; those that were asked back."""
    email = "" if human.email.is_verified else email_code(ctx, id, human.email)
    phone = "" if human.phone.is_verified or not human.phone.phone else phone_code(ctx, id, human.phone)
    return {name: code for name, code in (("email_code", email), ("phone_code", phone)) if code}


def add_human_of(ctx: Context, human: Any, request: Any, org_id: str) -> Any:
    """Create the person that a message describes."""
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
    )


def _metadata(ctx: Context, user_id: str, entries: Any) -> None:
    if entries:
        commands.set_user_metadata(ctx, user_id=user_id, values={entry.key: entry.value for entry in entries})


@users.method
def GetUserByID(ctx: Context, request: Any) -> Any:
    """One user."""
    row = queries.get_user(ctx, user_id=request.user_id)
    return user_v2.GetUserByIDResponse(user=shown(row), details=row_details(object_v2.Details, row, row.org_id))


@users.method
def UpdateUser(ctx: Context, request: Any) -> Any:
    """Change a user; only what is sent."""
    id, receipt = request.user_id, None
    if request.username:
        receipt = commands.rename_user(ctx, user_id=id, user_name=request.username)
    if request.HasField("machine"):
        machine = request.machine
        receipt = commands.change_machine(
            ctx,
            user_id=id,
            name=machine.name if machine.HasField("name") else None,
            description=machine.description if machine.HasField("description") else None,
            access_token_type=machine.access_token_type if machine.HasField("access_token_type") else None,
        )
    if request.HasField("human"):
        receipt = _update_human(ctx, id, request.human) or receipt
    _metadata(ctx, id, request.metadata)
    changed = receipt.changed_at if receipt else queries.get_user(ctx, user_id=id).changed_at
    return user_v2.UpdateUserResponse(change_date=stamp(changed))


@users.method
def UpdateHumanUser(ctx: Context, request: Any) -> Any:
    """Change a person (the older method)."""
    receipt = None
    if request.username:
        receipt = commands.rename_user(ctx, user_id=request.user_id, user_name=request.username)
    receipt = _update_human(ctx, request.user_id, request) or receipt
    row = queries.get_user(ctx, user_id=request.user_id)
    return user_v2.UpdateHumanUserResponse(details=row_details(object_v2.Details, row, row.org_id))


def _update_human(ctx: Context, id: str, human: Any) -> Any:
    receipt = None
    if human.HasField("profile"):
        receipt = commands.change_profile(ctx, user_id=id, profile=_profile(ctx, id, human.profile))
    if human.HasField("email"):
        receipt = commands.change_email(ctx, user_id=id, email=human.email.email, verified=human.email.is_verified)
    if human.HasField("phone"):
        receipt = commands.change_phone(ctx, user_id=id, phone=human.phone.phone, verified=human.phone.is_verified)
    if human.HasField("password"):
        receipt = _set_password(ctx, id, human.password, human.password)
    return receipt


def _profile(ctx: Context, id: str, sent: Any) -> Profile:
    """What is kept, with what was sent over it."""
    row = queries.get_user(ctx, user_id=id)
    names = {"given_name": "first_name", "family_name": "last_name"}
    values = {name: getattr(row, name) for name in Profile.__dataclass_fields__}
    for field, value in sent.ListFields():
        values[names.get(field.name, field.name)] = value
    return Profile(**values)


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
    receipt = commands.change_email(ctx, user_id=request.user_id, email=request.email, verified=request.is_verified)
    code = "" if request.is_verified else email_code(ctx, request.user_id, request)
    return user_v2.SetEmailResponse(
        details=details(object_v2.Details, receipt), **({"verification_code": code} if code else {})
    )


@users.method
def SetPhone(ctx: Context, request: Any) -> Any:
    """Set a person's number."""
    receipt = commands.change_phone(ctx, user_id=request.user_id, phone=request.phone, verified=request.is_verified)
    code = "" if request.is_verified else phone_code(ctx, request.user_id, request)
    return user_v2.SetPhoneResponse(
        details=details(object_v2.Details, receipt), **({"verification_code": code} if code else {})
    )


@users.method
def RemovePhone(ctx: Context, request: Any) -> Any:
    """Take a person's number away."""
    receipt = commands.change_phone(ctx, user_id=request.user_id, phone="")
    return user_v2.RemovePhoneResponse(details=details(object_v2.Details, receipt))


@users.method
def SetPassword(ctx: Context, request: Any) -> Any:
    """Set a password as an administrator, or one's own with the one before."""
    receipt = _set_password(ctx, request.user_id, request.new_password, request)
    return user_v2.SetPasswordResponse(details=details(object_v2.Details, receipt))


def _set_password(ctx: Context, id: str, new: Any, proof: Any) -> Any:
    password = new.password if isinstance(new.password, str) else new.password.password
    required = new.change_required if hasattr(new, "change_required") else new.password.change_required
    if code := getattr(proof, "verification_code", ""):
        return set_password_by_code(ctx, user_id=id, code=code, password=password)
    if current := getattr(proof, "current_password", ""):
        return commands.change_own_password(ctx, user_id=id, current=current, password=password)
    hashed = "" if isinstance(new.password, str) else new.hashed_password.hash
    return commands.set_password(ctx, user_id=id, password=password, password_hash=hashed, change_required=required)


@users.method
def AddPersonalAccessToken(ctx: Context, request: Any) -> Any:
    """Give a service user a token, shown this once."""
    made = commands.add_pat(
        ctx, user_id=request.user_id, expires_at=moment(request.expiration_date), scopes=tuple(request.scopes)
    )
    return user_v2.AddPersonalAccessTokenResponse(
        creation_date=stamp(made.receipt.changed_at), token_id=made.id, token=made.secret
    )


@users.method
def RemovePersonalAccessToken(ctx: Context, request: Any) -> Any:
    """Take a token."""
    receipt = commands.remove_pat(ctx, user_id=request.user_id, pat_id=request.token_id)
    return user_v2.RemovePersonalAccessTokenResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def AddKey(ctx: Context, request: Any) -> Any:
    """Give a service user a key; a new private half is shown this once as the key file of the clients."""
    made = commands.add_machine_key(
        ctx, user_id=request.user_id, public_key=request.public_key, expires_at=moment(request.expiration_date)
    )
    content = commands.key_file(made, request.user_id).encode() if made.secret else b""
    return user_v2.AddKeyResponse(creation_date=stamp(made.receipt.changed_at), key_id=made.id, key_content=content)


@users.method
def RemoveKey(ctx: Context, request: Any) -> Any:
    """Take a key."""
    receipt = commands.remove_machine_key(ctx, user_id=request.user_id, key_id=request.key_id)
    return user_v2.RemoveKeyResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def AddSecret(ctx: Context, request: Any) -> Any:
    """Give a service user a client secret, shown this once."""
    made = commands.set_machine_secret(ctx, user_id=request.user_id)
    return user_v2.AddSecretResponse(creation_date=stamp(made.receipt.changed_at), client_secret=made.secret)


@users.method
def RemoveSecret(ctx: Context, request: Any) -> Any:
    """Take the client secret."""
    receipt = commands.remove_machine_secret(ctx, user_id=request.user_id)
    return user_v2.RemoveSecretResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def SetUserMetadata(ctx: Context, request: Any) -> Any:
    """Keep values under keys."""
    values = {entry.key: entry.value for entry in request.metadata}
    receipt = commands.set_user_metadata(ctx, user_id=request.user_id, values=values)
    return user_v2.SetUserMetadataResponse(set_date=stamp(receipt.changed_at))


@users.method
def DeleteUserMetadata(ctx: Context, request: Any) -> Any:
    """Forget keys."""
    receipt = commands.remove_user_metadata(ctx, user_id=request.user_id, keys=tuple(request.keys))
    return user_v2.DeleteUserMetadataResponse(deletion_date=stamp(receipt.changed_at))
