"""Console pages of users."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Q

from iam.console.kit import (
    Choice,
    Column,
    DetailPage,
    Empty,
    FormPage,
    Link,
    ListPage,
    Outcome,
    Path,
    Properties,
    Related,
    Tab,
    saves,
)
from iam.console.site import Figure, Hit, MenuEntry, add_figures, add_menu, add_pages, finds, names
from iam.kernel.context import Context
from projections.pages import first_of
from users import commands, queries
from users.console_forms import (
    EmailForm,
    PasswordForm,
    PatForm,
    PhoneForm,
    ProfileForm,
    SecretForm,
    UserNameForm,
    human_form,
    kept,
    machine_form,
)
from users.domain.profile import Profile
from users.models import UserRow

STATES = Choice(
    "state",
    "State",
    tuple(
        (word, word.capitalize(), {"state": number}) for number, word in ((1, "active"), (2, "inactive"), (4, "locked"))
    ),
)
KINDS = Choice(
    "kind", "Kind", (("human", "People", {"kind": "human"}), ("machine", "Service users", {"kind": "machine"}))
)
KIND_WORDS = {"human": "person", "machine": "service user"}
PERSON, MACHINE = (lambda row: row.kind == "human"), (lambda row: row.kind == "machine")


def _create_human(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.add_human(
        ctx,
        org_id=values["org"],
        profile=Profile(values["first_name"], values["last_name"]),
        email=values["email"],
        email_verified=values["email_verified"],
        user_name=values["user_name"],
        password=values["password"],
        change_required=bool(values["password"]),
    )
    return Outcome(f"users/{made.id}", "The person is created.")


def _create_machine(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.add_machine(
        ctx,
        org_id=values["org"],
        user_name=values["user_name"],
        name=values["name"],
        description=values["description"],
        access_token_type=int(values["access_token_type"]),
    )
    return Outcome(f"users/{made.id}?tab=credentials", "The service user is created. Give it a token or a key next.")


def _profile(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    gender = queries.get_user(ctx, user_id=path["user_id"]).gender
    commands.change_profile(ctx, user_id=path["user_id"], profile=Profile(**values, gender=gender))
    return Outcome(f"users/{path['user_id']}", "The profile is saved.")


def _add_pat(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    ends = datetime.combine(values["expires_on"], time(), UTC) if values["expires_on"] else None
    made = commands.add_pat(ctx, user_id=path["user_id"], expires_at=ends, scopes=tuple(values["scopes"].split()))
    return Outcome(f"users/{path['user_id']}?tab=credentials", "Token created", {"Personal access token": made.secret})


def _add_key(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.add_machine_key(ctx, user_id=path["user_id"])
    content = commands.key_file(made, path["user_id"])
    return Outcome(f"users/{path['user_id']}?tab=credentials", "Key created", {"Key file (JSON)": content})


def _set_secret(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.set_machine_secret(ctx, user_id=path["user_id"], keep_previous=kept(values))
    name = queries.get_user(ctx, user_id=path["user_id"]).user_name
    return Outcome(
        f"users/{path['user_id']}?tab=credentials",
        "Client secret set",
        {"Client id": name, "Client secret": made.secret},
    )


def _page(
    route: str, title: str, save: Any, submit: str = "Save", intro: str = "", form: Any = None, **more: Any
) -> FormPage:
    return FormPage(
        route=f"users/<user_id>/{route}",
        title=title,
        section="users",
        save=save,
        form=form,
        subject=lambda ctx, path: queries.get_user(ctx, user_id=path["user_id"]).shown_name,
        submit=submit,
        intro=intro,
        back="users/{user_id}",
        **more,
    )


def _row(ctx: Context, path: Path) -> UserRow:
    return queries.get_user(ctx, user_id=path["user_id"])


CREDENTIALS = "users/{user_id}?tab=credentials"
add_pages(
    ListPage(
        route="users",
        title="Users",
        needs="user.read",
        intro="People and service users.",
        rows=lambda ctx, path: queries.list_users(ctx),
        columns=(
            Column("shown_name", "Name", link="users/{id}", sort="display_name"),
            Column("preferred_login_name", "Login name", kind="address", sort="preferred_login_name"),
            Column("email", "E-mail", kind="address", sort="email"),
            Column("org_id", "Organization", names=("org",)),
            Column("kind", "Kind", sort="kind", show=lambda row: KIND_WORDS[row.kind]),
            Column("state_word", "State", kind="state", sort="state"),
            Column("created_at", "Created", kind="time", sort="created_at"),
        ),
        search=("user_name", "display_name", "name", "email"),
        ids=("id", "org_id"),
        filters=(STATES, KINDS),
        links=(
            Link("New service user", "users/new-machine", "user.write"),
            Link("New person", "users/new-human", "user.write", main=True),
        ),
        order=("display_name",),
        empty=Empty("No users yet", "Create the first person, or a service user for a program."),
    ),
    FormPage(
        "users/new-human",
        "New person",
        "users",
        _create_human,
        human_form,
        initial=lambda ctx, path: {"org": ctx.org_id},
        from_link=("org",),
        submit="Create",
    ),
    FormPage(
        "users/new-machine",
        "New service user",
        "users",
        _create_machine,
        machine_form,
        initial=lambda ctx, path: {"org": ctx.org_id},
        from_link=("org",),
        submit="Create",
    ),
    DetailPage(
        route="users/<user_id>",
        noun="User",
        section="users",
        get=queries.get_user,
        title=lambda row: row.shown_name,
        state=lambda row: row.state_word,
        subtitle=lambda row: row.preferred_login_name,
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "Profile",
                        (
                            Column("first_name", "Given name"),
                            Column("last_name", "Family name"),
                            Column("nick_name", "Nickname"),
                            Column("display_name", "Display name"),
                            Column("preferred_language", "Language"),
                            Column("org_id", "Organization", kind="code", link="orgs/{org_id}", names=("org",)),
                        ),
                        links=(Link("Edit", "users/{id}/profile"),),
                        when=PERSON,
                    ),
                    Properties(
                        "Contact",
                        (
                            Column("email", "E-mail"),
                            Column("email_verified", "E-mail verified", kind="yesno"),
                            Column("phone", "Phone"),
                            Column("phone_verified", "Phone verified", kind="yesno"),
                        ),
                        links=(
                            Link("E-mail", "users/{id}/email", "user.write"),
                            Link("Phone", "users/{id}/phone", "user.write"),
                        ),
                        when=PERSON,
                    ),
                    Properties(
                        "Service user",
                        (
                            Column("name", "Name"),
                            Column("description", "Description"),
                            Column(
                                "access_token_type",
                                "Access tokens",
                                show=lambda row: "JWT" if row.access_token_type else "opaque",
                            ),
                            Column("org_id", "Organization", kind="code", link="orgs/{org_id}", names=("org",)),
                        ),
                        when=MACHINE,
                    ),
                    Properties(
                        "Sign-in",
                        (
                            Column("user_name", "User name"),
                            Column("preferred_login_name", "Login name"),
                            Column("password_changed_at", "Password changed", kind="time"),
                            Column("password_change_required", "Must change password", kind="yesno"),
                        ),
                        links=(
                            Link("User name", "users/{id}/username", "user.write"),
                            Link("Password", "users/{id}/password", "user.write", PERSON),
                        ),
                    ),
                ),
            ),
            Tab(
                "credentials",
                "Tokens and keys",
                (
                    Related(
                        "Personal access tokens",
                        lambda ctx, row: queries.list_pats(ctx, user_id=row.id).order_by("created_at"),
                        (
                            Column("id", "Id", kind="code"),
                            Column("scopes", "Scopes", kind="list"),
                            Column("expires_at", "Expires", kind="time"),
                            Column("created_at", "Created", kind="time"),
                        ),
                        Empty("No tokens", "A token lets a program call the API as this service user."),
                        links=(Link("New token", "users/{id}/pats/new", "user.write", main=True),),
                        row_links=(Link("Remove", "users/{user_id}/pats/{id}/remove", "user.write", danger=True),),
                    ),
                    Related(
                        "Keys",
                        lambda ctx, row: queries.list_keys(ctx, user_id=row.id).order_by("created_at"),
                        (
                            Column("id", "Id", kind="code"),
                            Column("expires_at", "Expires", kind="time"),
                            Column("created_at", "Created", kind="time"),
                        ),
                        Empty("No keys", "A key signs assertions for the JWT profile; it is safer than a token."),
                        links=(Link("New key", "users/{id}/keys/new", "user.write"),),
                        row_links=(Link("Remove", "users/{user_id}/keys/{id}/remove", "user.write", danger=True),),
                    ),
                    Properties(
                        "Client secret",
                        (
                            Column("secret_hash", "Set", kind="yesno"),
                            Column("user_name", "Client id", kind="code"),
                            Column("previous_secret_until", "The secret before works until", kind="time"),
                        ),
                        links=(
                            Link("Set a new secret", "users/{id}/secret", "user.write"),
                            Link(
                                "Remove",
                                "users/{id}/secret/remove",
                                "user.write",
                                lambda row: bool(row.secret_hash),
                                danger=True,
                            ),
                        ),
                    ),
                ),
                when=MACHINE,
            ),
            Tab(
                "sessions",
                "Sessions",
                (
                    Related(
                        "Sessions",
                        lambda ctx, row: queries.list_sessions(ctx, user_id=row.id).order_by("-created_at"),
                        (
                            Column("user_agent", "Browser"),
                            Column("ip", "Address"),
                            Column("password_checked_at", "Signed in", kind="time"),
                            Column("id", "Id", kind="code"),
                        ),
                        Empty("No sessions", "This person is signed in nowhere."),
                    ),
                ),
                when=PERSON,
            ),
        ),
        links=(
            Link("Roles", "authorizations?q={id}", "user.grant.read"),
            Link("Give roles", "authorizations/new?user={id}", "user.grant.write"),
            Link("Make administrator", "administrators/new?user={id}", "org.member.write"),
            Link("Unlock", "users/{id}/unlock", "user.write", lambda row: row.state == 4, main=True),
            Link("Reactivate", "users/{id}/reactivate", "user.write", lambda row: row.state == 2, main=True),
            Link("Lock", "users/{id}/lock", "user.write", lambda row: row.state == 1),
            Link("Deactivate", "users/{id}/deactivate", "user.write", lambda row: row.state == 1),
            Link("Delete", "users/{id}/delete", "user.delete", danger=True),
        ),
        stream=lambda row: ("user", row.id),
    ),
    _page("profile", "Edit the profile", _profile, form=ProfileForm, initial=lambda ctx, path: vars(_row(ctx, path))),
    _page(
        "email",
        "Change the e-mail address",
        saves(commands.change_email, "The address is saved.", "users/{user_id}"),
        form=EmailForm,
        initial=lambda ctx, path: {"email": _row(ctx, path).email},
    ),
    _page(
        "phone",
        "Change the phone number",
        saves(commands.change_phone, "The number is saved.", "users/{user_id}"),
        form=PhoneForm,
        initial=lambda ctx, path: {"phone": _row(ctx, path).phone},
    ),
    _page(
        "username",
        "Change the user name",
        saves(commands.rename_user, "The user name is saved.", "users/{user_id}"),
        form=UserNameForm,
        initial=lambda ctx, path: {"user_name": _row(ctx, path).user_name},
    ),
    _page(
        "password",
        "Set a password",
        saves(commands.set_password, "The password is set.", "users/{user_id}"),
        form=PasswordForm,
    ),
    _page(
        "lock",
        "Lock the user",
        saves(commands.lock_user, "The user is locked.", "users/{user_id}"),
        "Lock",
        "The user cannot sign in until somebody unlocks.",
    ),
    _page(
        "unlock",
        "Unlock the user",
        saves(commands.unlock_user, "The user can sign in again.", "users/{user_id}"),
        "Unlock",
        "The user can sign in again.",
    ),
    _page(
        "deactivate",
        "Deactivate the user",
        saves(commands.deactivate_user, "The user is deactivated.", "users/{user_id}"),
        "Deactivate",
        "The user cannot sign in, and tokens stop working. Nothing is deleted.",
    ),
    _page(
        "reactivate",
        "Reactivate the user",
        saves(commands.reactivate_user, "The user can sign in again.", "users/{user_id}"),
        "Reactivate",
        "The user can sign in again.",
    ),
    _page(
        "delete",
        "Delete the user",
        saves(commands.remove_user, "The user is gone.", "users"),
        "Delete for good",
        "The user is deleted with tokens, sessions, authorizations and administrator roles. This cannot be undone.",
        danger=True,
    ),
    _page("pats/new", "New personal access token", _add_pat, "Create", form=PatForm),
    _page(
        "pats/<pat_id>/remove",
        "Remove the token",
        saves(commands.remove_pat, "The token is removed.", CREDENTIALS),
        "Remove",
        "Programs that use it are refused from now on.",
        danger=True,
    ),
    _page("keys/new", "New key", _add_key, "Create", "A new pair is made; its private half is shown once."),
    _page(
        "keys/<key_id>/remove",
        "Remove the key",
        saves(commands.remove_machine_key, "The key is removed.", CREDENTIALS),
        "Remove",
        "Assertions signed with it are refused from now on.",
        danger=True,
    ),
    _page("secret", "Set a new client secret", _set_secret, "Set", form=SecretForm),
    _page(
        "secret/remove",
        "Remove the client secret",
        saves(commands.remove_machine_secret, "The secret is removed.", CREDENTIALS),
        "Remove",
        "Client credentials stop working.",
        danger=True,
    ),
)
add_menu(MenuEntry("Users", "users", "users", "user.read", 20))
add_figures(
    Figure("People", "users?kind=human", "user.read", lambda ctx: queries.list_users(ctx).filter(kind="human").count()),
    Figure(
        "Service users",
        "users?kind=machine",
        "user.read",
        lambda ctx: queries.list_users(ctx).filter(kind="machine").count(),
    ),
)


@finds
def find_users(ctx: Context, text: str) -> list[Hit]:
    """Users by id, name, login name or e-mail."""
    wanted = (
        Q(id=text)
        | Q(user_name__icontains=text)
        | Q(display_name__icontains=text)
        | Q(email__icontains=text)
        | Q(name__icontains=text)
    )
    return [
        Hit(KIND_WORDS[row.kind], row.shown_name, f"users/{row.id}", row.preferred_login_name)
        for row in first_of(queries.list_users(ctx).filter(wanted), 10)
    ]


@names("user")
def user_names(instance: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Names of users."""
    return {id: row.shown_name for id, row in queries.users_by_id(instance, list(ids)).items()}
