"""zitadel.admin.v1.AdminService: the log and its followers."""

from typing import Any

from eventstore.aggregates import known_kinds
from eventstore.events import declared_events, to_payload, without_secrets
from eventstore.reading import FactsWanted
from eventstore.store import Recorded
from iam.api.gen import admin_v1 as admin
from iam.api.gen import event_v1, v1
from iam.api.lists import moment, stamp
from iam.api.methods import Service
from iam.console import site
from iam.instance import log_queries
from iam.kernel.context import Context

older = Service("zitadel.admin.v1.AdminService")
DATABASE = "projections"
"""Where a view lies, in the words of the API: our followers share one place."""


@older.method
def ListEvents(ctx: Context, request: Any) -> Any:
    """Facts of the whole instance. Secrets are left out of payloads, even where they are stored sealed or as digests."""
    found = log_queries.search_log(ctx, _wanted(request), limit=request.limit, asc=request.asc)
    names = site.names_of(ctx.instance, (one.actor for one in found))
    return admin.ListEventsResponse(events=[_event(one, names) for one in found])


def _wanted(request: Any) -> FactsWanted:
    since, until = _moments(request)
    return FactsWanted(
        kinds=tuple(request.aggregate_types),
        id=request.aggregate_id,
        names=tuple(request.event_types),
        owner=request.resource_owner,
        actor=request.editor_user_id,
        since=since,
        until=until,
        version=request.sequence,
    )


def _moments(request: Any) -> tuple[Any, Any]:
    """First and last moment: a range, a moment that pages go on from in either direction, or the older single field."""
    match request.WhichOneof("creation_date_filter"):
        case "range":
            return moment(request.range, "since"), moment(request.range, "until")
        case "from":
            start = moment(request, "from")
        case _:
            start = moment(request, "creation_date")
    return (start, None) if request.asc else (None, start)


def _event(one: Recorded, names: dict[str, str]) -> Any:
    made = event_v1.Event(
        editor=event_v1.Editor(user_id=one.actor, display_name=names.get(one.actor, "")),
        aggregate=event_v1.Aggregate(id=one.stream.id, type=_aggregate_type(one.stream.kind), resource_owner=one.owner),
        sequence=one.version,
        creation_date=stamp(one.at),
        type=_event_type(one.fact.stored_name),
    )
    made.payload.update(without_secrets(to_payload(one.fact)[0]))
    return made


def _event_type(name: str) -> Any:
    return event_v1.EventType(type=name, localized=_told("EventTypes", name))


def _aggregate_type(name: str) -> Any:
    return event_v1.AggregateType(type=name, localized=_told("AggregateTypes", name))


def _told(group: str, name: str) -> Any:
    return v1.LocalizedMessage(key=f"{group}.{name}", localized_message=name.replace(".", " ").replace("_", " "))


@older.method
def ListEventTypes(ctx: Context, request: Any) -> Any:
    """The names of the facts that this version knows."""
    log_queries.must_read_log(ctx)
    return admin.ListEventTypesResponse(event_types=[_event_type(name) for name, _ in declared_events()])


@older.method
def ListAggregateTypes(ctx: Context, request: Any) -> Any:
    """The kinds of things that facts are about."""
    log_queries.must_read_log(ctx)
    return admin.ListAggregateTypesResponse(aggregate_types=[_aggregate_type(kind) for kind in sorted(known_kinds())])


@older.method
def ListViews(ctx: Context, request: Any) -> Any:
    """The followers of the log, each with the last fact that it was fed."""
    return admin.ListViewsResponse(
        result=[
            admin.View(database=DATABASE, view_name=one.projection, processed_sequence=one.position)
            for one in log_queries.list_followers(ctx)
        ]
    )


@older.method
def ListFailedEvents(ctx: Context, request: Any) -> Any:
    """The facts that stop a follower, with the error."""
    return admin.ListFailedEventsResponse(
        result=[
            admin.FailedEvent(
                database=DATABASE,
                view_name=one.projection,
                failed_sequence=one.failed_position,
                failure_count=one.failures,
                error_message=one.error,
            )
            for one in log_queries.list_stopped(ctx)
        ]
    )


@older.method
def RemoveFailedEvent(ctx: Context, request: Any) -> Any:
    """The failure is forgotten and the fact tried again at once; it is not skipped."""
    log_queries.retry_stopped(ctx, projection=request.view_name, position=request.failed_sequence)
    return admin.RemoveFailedEventResponse()
