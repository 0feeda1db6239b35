"""One view per kind of page. Each reads the signed-in person's Context, asks the declaration, fills a template."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from eventstore import replica
from iam.console import site
from iam.console.history import history_of
from iam.console.kit import DetailPage, FormPage, ListPage, Outcome, Page, Tab, filled
from iam.console.signin import HOME, context_of
from iam.console.table import table_of
from iam.console.words import told
from iam.kernel.context import Context
from iam.kernel.errors import NotFound, PermissionDenied, Refusal, Unauthenticated
from iam.kernel.levels import Resource

View = Callable[..., HttpResponse]
ContextView = Callable[..., HttpResponse]
STATUS: Mapping[type[Refusal], int] = {PermissionDenied: 403, NotFound: 404}
HISTORY = Tab("history", "History", ())


def signed_in(view: ContextView) -> View:
    """Give a view the person's Context; nobody is sent to sign in, refusals become pages."""

    @wraps(view)
    def checked(request: HttpRequest, **path: str) -> HttpResponse:
        try:
            ctx = context_of(request)
        except Unauthenticated:
            return _sign_in(request)
        except NotFound as unknown:
            return see_unknown_host(request) if unknown.code.startswith("instance.") else refused(request, unknown)
        request.console = ctx  # type: ignore[attr-defined]
        try:
            response = view(request, ctx, **path)
        except Refusal as refusal:
            return refused(request, refusal, ctx)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return checked


def see_unknown_host(request: HttpRequest) -> HttpResponse:
    """The login has the page about a host of no instance."""
    return HttpResponseRedirect("/ui/v2/login/login")


def _sign_in(request: HttpRequest) -> HttpResponse:
    back = request.get_full_path() if request.method == "GET" else HOME
    target = f"/ui/console/login?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def refused(request: HttpRequest, refusal: Refusal, ctx: Context | None = None) -> HttpResponse:
    """A refusal as a page, with the status of its kind."""
    status = STATUS.get(type(refusal), 400)
    shown = {"refusal": refusal, "told": told(refusal), "status": status, "ctx": ctx}
    return show(request, "console/refused.html", shown, ctx, status=status)


def show(
    request: HttpRequest, template: str, shown: Mapping[str, Any], ctx: Context | None, *, status: int = 200
) -> HttpResponse:
    """Fill a template inside the frame: navigation, person, notices."""
    people = site.names_of(ctx.instance, [ctx.actor], "user") if ctx else {}
    frame = {
        "menu": site.menu(ctx) if ctx else [],
        "person": people.get(ctx.actor, ctx.actor) if ctx else "",
        "person_id": ctx.actor if ctx else "",
        "partial": bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted"),
    }
    response = render(request, template, {**frame, **shown}, status=status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


def page_view(page: Page) -> View:
    """The view of a declared page."""
    match page:
        case ListPage():
            return signed_in(lambda request, ctx, **path: _list(request, ctx, page, path))
        case DetailPage():
            return signed_in(lambda request, ctx, **path: _detail(request, ctx, page, path))
        case FormPage():
            return signed_in(lambda request, ctx, **path: _form(request, ctx, page, path))


def _list(request: HttpRequest, ctx: Context, page: ListPage, path: dict[str, str]) -> HttpResponse:
    if not ctx.rights.anywhere(page.needs):
        raise PermissionDenied("auth.permission_denied")
    table = replica.lists(lambda rows: table_of(ctx, page, rows, request.GET))(page.rows(ctx, path))
    links = [link for link in page.links if not link.needs or ctx.rights.anywhere(link.needs)]
    names = site.names_in(ctx.instance, page.columns, table.rows)
    shown = {"page": page, "table": table, "names": names, "links": links, "section": page.section or page.route}
    partial = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    return show(request, "console/_table.html" if partial else "console/list.html", shown, ctx)


def _detail(request: HttpRequest, ctx: Context, page: DetailPage, path: dict[str, str]) -> HttpResponse:
    slug = request.GET.get("tab", "")
    row = page.get(ctx, **path)
    tabs = [tab for tab in page.tabs if tab.when(row)] + ([HISTORY] if page.stream else [])
    tab = next((tab for tab in tabs if tab.slug == slug), tabs[0])
    shown: dict[str, Any] = {
        "page": page,
        "row": row,
        "title": page.title(row),
        "state": page.state(row) if page.state else None,
        "subtitle": page.subtitle(row) if page.subtitle else "",
        "crumbs": list(page.crumbs(row)),
        "tabs": tabs,
        "tab": tab,
        "blocks": [_block(ctx, block, row) for block in tab.blocks if block.when(row)],
        "links": usable(ctx, page.links, row),
        "section": page.section,
    }
    if tab is HISTORY and page.stream:
        shown["history"] = history_of(ctx, *page.stream(row), tells=lambda fact: page.tells(row, fact))
    return show(request, "console/detail.html", shown, ctx)


def _block(ctx: Context, block: Any, row: Any) -> dict[str, Any]:
    links = usable(ctx, block.links, row)
    if not hasattr(block, "row_links"):
        return {"properties": block, "links": links, "names": site.names_in(ctx.instance, block.columns, [row])}
    rows = list(block.rows(ctx, row)[:100])
    lines = [(line, usable(ctx, block.row_links, line, owner=row)) for line in rows]
    more = filled(block.more, row) if block.more else ""
    names = site.names_in(ctx.instance, block.columns, rows)
    return {"related": block, "lines": lines, "links": links, "more": more, "names": names}


def usable(ctx: Context, links: tuple[Any, ...], row: Any, *, owner: Any = None) -> list[dict[str, Any]]:
    """The links that fit the row's state and the person's rights, with their addresses."""
    held = owner if owner is not None else row
    return [
        {"label": link.label, "to": HOME + filled(link.to, row), "danger": link.danger, "main": link.main}
        for link in links
        if link.when(row) and (not link.needs or _may(ctx, link.needs, held))
    ]


def _may(ctx: Context, needs: str, row: Any) -> bool:
    owner = getattr(row, "org_id", None) or getattr(row, "owner", None) or getattr(row, "id", "")
    project_id = getattr(row, "project_id", "")
    resource = Resource.of_project(project_id) if project_id else getattr(row, "resource", None)
    return ctx.allows(needs, owner, resource)


def _form(request: HttpRequest, ctx: Context, page: FormPage, path: dict[str, str]) -> HttpResponse:
    form = _bound(request, ctx, page, path)
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            outcome = page.save(ctx, form.cleaned_data if form else {}, path)
        except Refusal as refusal:
            return _refused_form(request, ctx, page, path, form, refusal)
        return _done(request, ctx, page, outcome)
    return _show_form(request, ctx, page, path, form, status=422 if form is not None and form.errors else 200)


def _bound(request: HttpRequest, ctx: Context, page: FormPage, path: dict[str, str]) -> forms.Form | None:
    if page.form is None:
        return None
    made = page.form if isinstance(page.form, type) else page.form(ctx, path)
    chosen = {name: request.GET[name] for name in page.from_link if name in request.GET}
    initial = {**page.initial(ctx, path), **chosen}
    return made(request.POST if request.method == "POST" else None, initial=initial)


def _refused_form(
    request: HttpRequest,
    ctx: Context,
    page: FormPage,
    path: dict[str, str],
    form: forms.Form | None,
    refusal: Refusal,
) -> HttpResponse:
    """Show the form again; the refusal stands at the field that it names, or above the form."""
    if form is None:
        return _show_form(request, ctx, page, path, None, status=409, problem=told(refusal))
    name = _snake(refusal.field.rsplit(".", 1)[-1])
    form.add_error(name if name in form.fields else None, told(refusal))
    return _show_form(request, ctx, page, path, form, status=422)


def _show_form(
    request: HttpRequest,
    ctx: Context,
    page: FormPage,
    path: dict[str, str],
    form: forms.Form | None,
    *,
    status: int,
    problem: str = "",
) -> HttpResponse:
    shown = {
        "page": page,
        "form": form,
        "problem": problem,
        "subject": page.subject(ctx, path) if page.subject else "",
        "section": page.section,
        "back": HOME + (page.back.format(**path) if page.back else page.section),
    }
    return show(request, "console/form.html", shown, ctx, status=status)


def _done(request: HttpRequest, ctx: Context, page: FormPage, outcome: Outcome) -> HttpResponse:
    """Go on to what was changed; secrets are shown in this one answer and kept nowhere."""
    if outcome.secrets:
        shown = {"page": page, "outcome": outcome, "to": HOME + outcome.to, "section": page.section}
        return show(request, "console/secrets.html", shown, ctx)
    if outcome.notice:
        messages.success(request, outcome.notice)
    return HttpResponse(status=303, headers={"Location": HOME + outcome.to})


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
