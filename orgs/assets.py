"""The doors of branding files: `POST /assets/v1/{org,instance}/policy/label/…` and where they are served."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from iam.access.caller import RequestMeta, context_for, instance_of
from iam.access.http import meta_of
from iam.api import rates
from iam.api.rest import refused
from iam.instance.assets import get_asset, upload_asset
from iam.instance.images import MOST_FONT_BYTES, SVG
from iam.instance.setting_commands import of_instance
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound, PermissionDenied, Refusal, Unauthenticated
from orgs.settings import of_org

PLACES = {"logo": "logo", "logo/dark": "logo_dark", "icon": "icon", "icon/dark": "icon_dark", "font": "font"}
YEAR = 365 * 24 * 3600


@csrf_exempt  # the API takes no cookies
@require_POST
def upload(request: HttpRequest, level: str, place: str) -> HttpResponse:
    """Keep a file (multipart, field `file`) for the branding that is being prepared."""
    try:
        ctx = _counted(meta_of(request))
        sent = request.FILES.get("file")
        if sent is None:
            raise InvalidInput("api.field_missing", field="file")
        if (sent.size or 0) > MOST_FONT_BYTES:
            raise InvalidInput("setting.asset_too_large", field="file", reason=f"at most {MOST_FONT_BYTES} bytes")
        where = of_instance(ctx) if level == "instance" else of_org(ctx.org_id)
        upload_asset(ctx, where, asset=PLACES[place], content=sent.read())
    except Refusal as refusal:
        return refused(refusal)
    return JsonResponse({})


def _counted(meta: RequestMeta) -> Context:
    """Who uploads, counted as with every other method of the API."""
    rates.enter(meta)
    try:
        ctx = context_for(meta)
        ctx.authenticated()
    except (Unauthenticated, NotFound, PermissionDenied):
        rates.count_nobody(meta)
        raise
    rates.count_caller(meta, ctx.instance, ctx.actor)
    return ctx


@require_GET
def serve(request: HttpRequest, owner: str, key: str) -> HttpResponse:
    """A kept file, for anybody; nothing in it runs, whatever it is (checklist H05)."""
    try:
        row = get_asset(instance_of(meta_of(request).host), owner, key)
    except NotFound as refusal:
        return refused(refusal)
    response = HttpResponse(bytes(row.content), content_type=row.content_type)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Access-Control-Allow-Origin"] = "*"
    if row.content_type == SVG:
        response.headers["Content-Disposition"] = "attachment; filename=drawing.svg"
    return response
