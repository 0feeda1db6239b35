"""zitadel.system.v1.SystemService: new instances."""

from typing import Any

from iam.api.gen import system_v1 as system
from iam.api.gen import v1
from iam.api.lists import details, moment
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.setup.new_instance import Machine, Person, create_instance
from users.domain.profile import Profile

operators = Service("zitadel.system.v1.SystemService")


@operators.method
def CreateInstance(ctx: Context, request: Any) -> Any:
    """Make an instance that a person or a service user owns."""
    owner = _machine(request.machine) if request.HasField("machine") else _human(request.human)
    made = create_instance(ctx, owner=owner, **_instance(request))
    return system.CreateInstanceResponse(
        instance_id=made.receipt.id,
        details=details(v1.ObjectDetails, made.receipt),
        pat=made.pat,
        machine_key=made.key_file.encode(),
    )


@operators.method
def AddInstance(ctx: Context, request: Any) -> Any:
    """Make an instance that a person owns (the older method)."""
    owner = _person(request.owner_user_name, request.owner_email, request.owner_profile, request.owner_password)
    receipt = create_instance(ctx, owner=owner, **_instance(request)).receipt
    return system.AddInstanceResponse(instance_id=receipt.id, details=details(v1.ObjectDetails, receipt))


def _instance(request: Any) -> dict[str, str]:
    return {
        "name": request.instance_name,
        "org_name": request.first_org_name,
        "domain": request.custom_domain,
        "language": request.default_language,
    }


def _human(human: Any) -> Person:
    return _person(human.user_name, human.email, human.profile, human.password)


def _person(user_name: str, email: Any, profile: Any, password: Any) -> Person:
    names = Profile(
        profile.first_name or "ZITADEL",
        profile.last_name or "Admin",
        preferred_language=profile.preferred_language,
    )
    return Person(
        user_name or email.email,
        email.email,
        email.is_email_verified,
        names,
        password.password,
        password.password_change_required,
    )


def _machine(machine: Any) -> Machine:
    return Machine(
        machine.user_name,
        machine.name,
        has_pat=machine.HasField("personal_access_token"),
        pat_expires_at=moment(machine.personal_access_token, "expiration_date"),
        has_key=machine.HasField("machine_key"),
        key_expires_at=moment(machine.machine_key, "expiration_date"),
    )
