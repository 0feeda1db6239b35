"""The service users that set-up makes, and the files with their tokens and keys."""

import os
from datetime import datetime
from pathlib import Path

from django.conf import settings

from iam.access.models import MembershipRow
from iam.instance import commands as instance
from iam.kernel.context import Context
from iam.settings.tree import Config
from users import commands as users
from users.models import MachineKeyRow, PatRow, UserRow

OWNER = ("IAM_OWNER",)
LOGIN_CLIENT = ("IAM_LOGIN_CLIENT",)
DEFAULT_OWNER, DEFAULT_LOGIN_CLIENT = "admin-api", "login-client"


def make_owning_machine(ctx: Context, config: Config, ids: dict[str, str]) -> None:
    """The service user that owns the instance; in embedded mode always, else when it is configured."""
    first = config.FirstInstance
    machine = first.Org.Machine
    name = machine.Machine.Username or (DEFAULT_OWNER if config.embedded else "")
    if not name:
        return
    id = ids["machine"]
    _add_service_user(ctx, ids["org"], id, name, machine.Machine.Name)
    make_owner(ctx, id)
    pat = first.PatPath or (str(settings.VAR / "admin.pat") if config.embedded else "")
    key = first.MachineKeyPath or (str(settings.VAR / "admin-key.json") if config.embedded else "")
    _write_pat(ctx, id, pat, _time(machine.Pat.ExpirationDate))
    _write_key(ctx, id, key, _time(machine.MachineKey.ExpirationDate))


def make_login_client(ctx: Context, config: Config, ids: dict[str, str]) -> None:
    """The service user of a login of one's own, where a file for its token is named."""
    client, path = config.FirstInstance.Org.LoginClient, config.FirstInstance.LoginClientPatPath
    if not path:
        return
    id = ids["login_client"]
    _add_service_user(ctx, ids["org"], id, client.Machine.Username or DEFAULT_LOGIN_CLIENT, client.Machine.Name)
    _let_administer(ctx, id, LOGIN_CLIENT)
    _write_pat(ctx, id, path, _time(client.Pat.ExpirationDate))


def make_owner(ctx: Context, user_id: str) -> None:
    """Give a user the instance."""
    _let_administer(ctx, user_id, OWNER)


def _let_administer(ctx: Context, user_id: str, roles: tuple[str, ...]) -> None:
    if not MembershipRow.objects.filter(instance_id=ctx.instance, user_id=user_id, level="instance").exists():
        instance.add_member(ctx, user_id=user_id, roles=roles)


def _add_service_user(ctx: Context, org_id: str, id: str, user_name: str, name: str) -> None:
    if not UserRow.objects.filter(instance_id=ctx.instance, id=id).exists():
        users.add_machine(ctx, org_id=org_id, user_id=id, user_name=user_name, name=name or user_name)


def _write_pat(ctx: Context, user_id: str, path: str, expires_at: datetime | None) -> None:
    for row in PatRow.objects.filter(instance_id=ctx.instance, user_id=user_id):  # its text was never written
        users.remove_pat(ctx, user_id=user_id, pat_id=row.id)
    if path:
        _write(path, users.add_pat(ctx, user_id=user_id, expires_at=expires_at).secret + "\n")


def _write_key(ctx: Context, user_id: str, path: str, expires_at: datetime | None) -> None:
    for row in MachineKeyRow.objects.filter(instance_id=ctx.instance, user_id=user_id):
        users.remove_machine_key(ctx, user_id=user_id, key_id=row.id)
    if path:
        made = users.add_machine_key(ctx, user_id=user_id, expires_at=expires_at)
        _write(path, users.key_file(made, user_id) + "\n")


def _write(path: str, text: str) -> None:
    """A file that only its owner reads."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
