"""The activity page, and the WebSocket that keeps it current: facts and use as they happen."""

import asyncio
from http.cookies import SimpleCookie
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from eventstore.recent import Mark, Recent, recent
from iam.console import site
from iam.console.signin import context_of_cookie, cookie_name
from iam.console.views import show, signed_in
from iam.kernel.context import Context
from iam.kernel.errors import PermissionDenied, Refusal

NEEDS = "events.read"
SHOWN = 50
EVERY_SECONDS = 1.0
FORBIDDEN = 4403


@require_GET
@signed_in
def page(request: HttpRequest, ctx: Context) -> HttpResponse:
    """The newest facts and uses; complete without JavaScript, kept current with it."""
    found = newest(ctx, Mark())
    shown = {"lines": lines(ctx, found), "section": "activity", "shown": SHOWN}
    return show(request, "console/activity.html", shown, ctx)


def newest(ctx: Context, after: Mark) -> Recent:
    """What happened after a mark, as far as the person may see it; raises PermissionDenied."""
    reach = ctx.reach(NEEDS)
    if not reach.everywhere and not reach.orgs:
        raise PermissionDenied("auth.permission_denied")
    return recent(ctx.instance, after=after, owners=None if reach.everywhere else reach.orgs, limit=SHOWN)


def lines(ctx: Context, found: Recent) -> list[dict[str, Any]]:
    """Facts and uses as the template shows them, newest first."""
    names = site.names_of(ctx.instance, [id for seen in found.seen for id in (seen.actor, seen.id)])
    return [
        {
            "at": seen.at,
            "what": seen.what,
            "kind": seen.kind,
            "thing": names.get(seen.id, seen.id),
            "thing_id": seen.id,
            "who": names.get(seen.actor, seen.actor or "nobody"),
            "is_use": seen.is_use,
        }
        for seen in found.seen
    ]


class LiveActivity(AsyncWebsocketConsumer):  # type: ignore[misc] - channels has no types
    """Sends new lines as ready HTML once a second, while there are any."""

    async def connect(self) -> None:
        """Only a signed-in person, from a page of this very host (checklist L12)."""
        self.ctx = await sync_to_async(self._context)()
        if self.ctx is None:
            await self.close(code=FORBIDDEN)
            return
        await self.accept()
        self.watch = asyncio.create_task(self._watch())

    async def disconnect(self, code: int) -> None:
        """Stop looking."""
        if watch := getattr(self, "watch", None):
            watch.cancel()

    def _context(self) -> Context | None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in self.scope["headers"]}
        origin = headers.get("origin", "")
        secure = origin.startswith("https:")
        cookie = SimpleCookie(headers.get("cookie", "")).get(cookie_name("session", secure=secure))
        if cookie is None:
            return None
        try:
            ctx = context_of_cookie(headers.get("host", ""), cookie.value)
            ctx.reach(NEEDS)
        except Refusal:
            return None
        self._again = (headers["host"], cookie.value)
        return ctx if origin == ctx.base_url else None

    async def _watch(self) -> None:
        mark = (await sync_to_async(self._look)(Mark()))[0]
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                mark, html = await sync_to_async(self._look)(mark)
            except Refusal:
                await self.close(code=FORBIDDEN)
                return
            if html:
                await self.send(text_data=html)

    def _look(self, mark: Mark) -> tuple[Mark, str]:
        """New lines since the mark. The person is checked anew: a revoked token ends the stream."""
        ctx = context_of_cookie(*self._again)
        found = newest(ctx, mark)
        html = render_to_string("console/_activity_lines.html", {"lines": lines(ctx, found)}) if found.seen else ""
        return found.mark, html
