"""What each fact changes in the state of a user: one line per fact."""

from dataclasses import replace
from typing import Any

from eventstore.events import Event, told
from users.domain import events as facts
from users.domain.profile import Profile
from users.domain.states import UserState


def applied(user: Any, fact: Event) -> dict[str, Any]:  # noqa: PLR0912 - a table in the form of a match
    """The fields that change; empty for a fact that changes no state."""
    match fact:
        case facts.HumanAdded():
            return _human(fact)
        case facts.MachineAdded(
            organization_scoped=scoped, user_name=user_name, name=name, description=description, access_token_type=token
        ):
            return {
                "type": "machine",
                "state": UserState.ACTIVE,
                "user_name": user_name,
                "organization_scoped": bool(scoped),
                "name": name,
                "description": description,
                "access_token_type": token,
            }
        case facts.MachineChanged():
            return told(fact, "name", "description", "access_token_type")
        case facts.UsernameChanged(user_name=user_name, organization_scoped=scoped):
            return {"user_name": user_name, "organization_scoped": bool(scoped)}
        case facts.ProfileChanged():
            return {"profile": replace(user.profile, **told(fact, *Profile.__dataclass_fields__))}
        case facts.EmailChanged(email=email):
            return {"email": email, "email_verified": False}
        case facts.EmailVerified():
            return {"email_verified": True}
        case facts.PhoneChanged(phone=phone):
            return {"phone": phone, "phone_verified": False}
        case facts.PhoneVerified():
            return {"phone_verified": True}
        case facts.PhoneRemoved():
            return {"phone": "", "phone_verified": False}
        case facts.PasswordChanged(encoded_hash=encoded, change_required=required):
            return {"password_hash": encoded, "change_required": required, **_fresh_start(user)}
        case facts.PasswordHashUpdated(encoded_hash=encoded):
            return {"password_hash": encoded}
        case facts.PasswordCheckFailed():  # old logs hold some
            return {"failed_checks": user.failed_checks + 1}
        case facts.PasswordCheckSucceeded():
            return {"failed_checks": 0}
        case facts.UserUnlocked() | facts.UserReactivated():
            return {"state": UserState.ACTIVE, **_fresh_start(user)}
        case facts.PatAdded(token_id=id):
            return {"pats": user.pats | {id}}
        case facts.PatRemoved(token_id=id):
            return {"pats": user.pats - {id}}
        case facts.KeyAdded(key_id=id):
            return {"keys": user.keys | {id}}
        case facts.KeyRemoved(key_id=id):
            return {"keys": user.keys - {id}}
        case facts.SecretSet():
            return {"has_secret": True}
        case facts.SecretRemoved():
            return {"has_secret": False}
        case facts.UserLocked():
            return {"state": UserState.LOCKED}
        case facts.UserDeactivated():
            return {"state": UserState.INACTIVE}
        case facts.UserRemoved():
            return {"state": UserState.DELETED}
        case facts.MetadataSet(key=key, value=value):
            return {"metadata": {**user.metadata, key: value}}
        case facts.MetadataRemoved(key=key):
            return {"metadata": {one: held for one, held in user.metadata.items() if one != key}}
    return {}


def _fresh_start(user: Any) -> dict[str, int]:
    return {"failed_checks": 0, "fresh_starts": user.fresh_starts + 1}


def _human(fact: facts.HumanAdded) -> dict[str, Any]:
    return {
        "type": "human",
        "state": UserState.ACTIVE,
        "user_name": fact.user_name,
        "organization_scoped": bool(fact.organization_scoped),
        "profile": Profile(**{name: getattr(fact, name) for name in Profile.__dataclass_fields__}),
        "email": fact.email,
        "phone": fact.phone,
        "password_hash": fact.encoded_hash,
        "change_required": fact.change_required,
    }
