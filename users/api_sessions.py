"""zitadel.session.v2.SessionService: the API's door to the sessions that the hosted login makes, too (DESIGN §9)."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet

from iam.api.gen import object_v2, session_v2
from iam.api.lists import at_time, details, paged, stamp
from iam.api.methods import Service
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import FailedPrecondition, InvalidInput, NotFound, PermissionDenied, Unimplemented
from users import attempts, queries
from users.commands import sessions as commands
from users.commands.sessions import NOBODY, Entries
from users.domain.session import Agent
from users.models import SessionRow, UserRow
from users.queries import find_user_by_login, users_by_id

sessions = Service("zitadel.session.v2.SessionService")
SUPPORTED = {"user", "password"}
SORTS = {1: "created_at"}
LATER = (1, 2)  # TimestampQueryMethod: greater, greater or equal


@sessions.method
def CreateSession(ctx: Context, request: Any) -> Any:
    """Open a session and make the checks that come with it; a wrong password leaves none behind."""
    ctx.require("session.write", ctx.instance)
    _must_be_supported(request)
    user = _checked_user(ctx, request.checks, "", request.user_agent.ip)
    opened = commands.write_session(ctx, _entries(request, user), agent=_agent(request.user_agent))
    return session_v2.CreateSessionResponse(
        session_id=opened.id, session_token=opened.token, details=details(object_v2.Details, opened.receipt)
    )


@sessions.method
def SetSession(ctx: Context, request: Any) -> Any:
    """Make more checks in a session; it gets a new token."""
    row = _session(ctx, queries.living_sessions(ctx), request, "session.write")
    _must_be_supported(request)
    user = _checked_user(ctx, request.checks, row.user_id, row.ip)
    opened = commands.write_session(ctx, _entries(request, user), session_id=row.id)
    return session_v2.SetSessionResponse(session_token=opened.token, details=details(object_v2.Details, opened.receipt))


@sessions.method
def GetSession(ctx: Context, request: Any) -> Any:
    """One session, also when its time is over: with its token, one's own, or with the right to read."""
    row = _session(ctx, queries.kept_sessions(ctx), request, "session.read")
    people = users_by_id(ctx.instance, [row.user_id])
    return session_v2.GetSessionResponse(session=_shown(row, people.get(row.user_id)))


@sessions.method
def ListSessions(ctx: Context, request: Any) -> Any:
    """One's own sessions, or with the right to read those of everybody."""
    rows = queries.list_all_sessions(ctx)
    for query in request.queries:
        rows = rows.filter(_condition(ctx, query))
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS)
    people = users_by_id(ctx.instance, [row.user_id for row in found])
    shown = [_shown(row, people.get(row.user_id)) for row in found]
    answer = session_v2.ListSessionsResponse(sessions=shown)
    answer.details.total_result = total
    answer.details.timestamp.FromDatetime(ctx.now())
    return answer


@sessions.method
def DeleteSession(ctx: Context, request: Any) -> Any:
    """End a session: with its token, one's own, or with the right to delete. Ending it twice is no mistake."""
    row = _session(ctx, queries.all_sessions(ctx), request, "session.delete")
    receipt: Receipt = commands.terminate_session(ctx, session_id=row.id)
    return session_v2.DeleteSessionResponse(details=details(object_v2.Details, receipt))


def _must_be_supported(request: Any) -> None:
    """What is not understood is refused, not dropped; raises Unimplemented."""
    unknown = {field.name for field, _ in request.checks.ListFields()} - SUPPORTED
    unknown |= {field.name for field, _ in request.challenges.ListFields()}
    if unknown:
        raise Unimplemented("session.check_unsupported", field=sorted(unknown)[0])


def _checked_user(ctx: Context, checks: Any, user_id: str, ip: str) -> UserRow | None:
    """Whose session it is, after the checks that were sent; raises NotFound, InvalidInput, FailedPrecondition."""
    asked = ""
    if checks.HasField("user"):
        by_name = checks.user.WhichOneof("search") == "login_name"
        asked = checks.user.login_name if by_name else checks.user.user_id
        found = find_user_by_login(ctx.instance, asked) if by_name else users_by_id(ctx.instance, [asked]).get(asked)
    else:
        found = users_by_id(ctx.instance, [user_id]).get(user_id) if user_id else None
    if checks.HasField("password"):
        if found is None and not asked:
            raise FailedPrecondition("session.user_missing")
        id = found.id if found else NOBODY
        commands.must_know_password(
            ctx,
            user_id=id,
            password=checks.password.password,
            asked="" if found else asked,
            typed=asked,
            device=attempts.told_network(ip),
        )
    if asked and found is None:
        raise NotFound("user.not_found")
    return found


def _entries(request: Any, user: UserRow | None) -> Entries:
    """What to write after the checks have passed."""
    checks = request.checks
    return Entries(
        user_id=user.id if user is not None and checks.HasField("user") else "",
        password_ok=checks.HasField("password"),
        metadata=dict(request.metadata),
        lifetime=_lifetime(request.lifetime) if request.HasField("lifetime") else None,
    )


def _lifetime(sent: Any) -> timedelta:
    try:
        lifetime: timedelta = sent.ToTimedelta()
    except (ValueError, OverflowError):
        raise InvalidInput("session.lifetime_invalid", field="lifetime") from None
    return lifetime


def _agent(sent: Any) -> Agent:
    header = {name: tuple(values.values) for name, values in sent.header.items()}
    return Agent(sent.fingerprint_id, sent.ip, sent.description[: commands.LONGEST_AGENT], header)


def _session(ctx: Context, rows: "QuerySet[SessionRow]", request: Any, needs: str) -> SessionRow:
    """The one of these sessions that is meant, if the caller may touch it; raises NotFound, PermissionDenied for a
    wrong token."""
    row = rows.filter(id=request.session_id).first()
    if _is_proved(ctx, row, request.session_token, needs):
        return row
    if needs == "session.write" or row is None or ctx.caller.user_id not in (row.user_id, row.creator_id):
        ctx.require(needs, ctx.instance)
    if row is None:
        raise NotFound("session.not_found")
    return row


def _is_proved(ctx: Context, row: SessionRow | None, token: str, needs: str) -> bool:
    """Whether the token is that of the session; one that was ended has none. Raises PermissionDenied for a wrong one,
    unless the caller may write any session: then the right suffices, as for the reference."""
    if not token or (row and row.terminated):
        return False
    if row is not None and queries.is_token_of(row, token):
        return True
    if needs == "session.write" and ctx.allows(needs, ctx.instance):
        return False
    raise PermissionDenied("session.token_invalid")


def _shown(row: SessionRow, user: UserRow | None) -> Any:
    made = session_v2.Session(
        id=row.id, creation_date=stamp(row.created_at), change_date=stamp(row.changed_at), sequence=row.version
    )
    if row.user_id and user is not None:
        made.factors.user.id, made.factors.user.login_name = row.user_id, user.preferred_login_name
        made.factors.user.display_name, made.factors.user.organization_id = user.display_name or user.name, user.org_id
        made.factors.user.verified_at.CopyFrom(stamp(row.user_checked_at))
    if row.password_checked_at:
        made.factors.password.verified_at.CopyFrom(stamp(row.password_checked_at))
    for field, value in (("fingerprint_id", row.fingerprint_id), ("ip", row.ip), ("description", row.user_agent)):
        if value:
            setattr(made.user_agent, field, value)
    for name, values in row.header.items():
        made.user_agent.header[name].values.extend(values)
    for key, value in row.metadata.items():
        made.metadata[key] = b64decode(value)
    if row.expires_at:
        made.expiration_date.CopyFrom(stamp(row.expires_at))
    return made


def _condition(ctx: Context, query: Any) -> Q:
    """A query of the API as a condition; raises InvalidInput."""
    match query.WhichOneof("query"):
        case "ids_query":
            return Q(id__in=list(query.ids_query.ids))
        case "user_id_query":
            return Q(user_id=query.user_id_query.id)
        case "creator_query":
            return Q(creator_id=_said(query.creator_query, "id") or ctx.actor)
        case "user_agent_query":
            return Q(fingerprint_id=_said(query.user_agent_query, "fingerprint_id") or queries.own_agent(ctx))
        case "creation_date_query":
            return at_time("created_at", query.creation_date_query, "creation_date")
        case "expiration_date_query":
            asked = query.expiration_date_query
            wanted = at_time("expires_at", asked, "expiration_date")
            return wanted | Q(expires_at=None) if asked.method in LATER else wanted  # without an end: after any time
    raise InvalidInput("api.query_unsupported", field="queries")


def _said(asked: Any, field: str) -> str:
    """What a query names, empty when it leaves that to the caller; raises InvalidInput for an empty name."""
    value: str = getattr(asked, field)
    if asked.HasField(field) and not value:
        raise InvalidInput("api.field_missing", field=field)
    return value
