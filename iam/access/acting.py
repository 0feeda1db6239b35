"""In which organization a request acts: the caller's own, or the one of the header `x-zitadel-orgid` (checklist T03)."""

from collections.abc import Callable, Collection, Mapping

from iam.kernel.context import Context, Rights
from iam.kernel.errors import InvalidInput, NotFound, PermissionDenied

HEADER = "x-zitadel-orgid"
AUTHENTICATED = "authenticated"
"""What a method needs that anybody with a token may call."""

OrgFinder = Callable[[str, str], bool]
"""(instance id, organization id) → whether there is one."""

Surroundings = Callable[[str, Collection[str], Collection[str]], Collection[str]]
"""(instance id, project ids, project grant ids) → the organizations that own these projects, or give or hold these grants."""

_org_finders: list[OrgFinder] = []
_surroundings: list[Surroundings] = []


def finds_org(find: OrgFinder) -> OrgFinder:
    """Register how an organization is looked up (the room of organizations does)."""
    _org_finders[:] = [find]
    return find


def finds_surroundings(find: Surroundings) -> Surroundings:
    """Register how the organizations around projects and grants are found (the room of projects does)."""
    _surroundings[:] = [find]
    return find


def asked_org(headers: Mapping[str, str]) -> str:
    """The organization of the header, empty without one. The same one twice is once; raises InvalidInput for two."""
    asked = {one.strip() for one in headers.get(HEADER, "").split(",")} - {""}
    if len(asked) > 1:
        raise InvalidInput("auth.orgs_several", field=HEADER)
    return asked.pop() if asked else ""


def must_be_at_home(ctx: Context, needs: str) -> None:
    """Refuse a request that asks to act in an organization where the caller lacks the permission `needs`.

    AUTHENTICATED stands for any permission at all. A foreign organization looks like a missing one; raises NotFound, or
    PermissionDenied to a caller who holds the permission nowhere.
    """
    if not ctx.asked_org or ctx.asked_org == ctx.caller.org_id or ctx.rights.unlimited:
        return
    if ctx.asked_org == ctx.instance:  # no organization, whatever has its id
        raise NotFound("org.not_found", field=HEADER)
    if _holds(ctx.rights.instance, needs):
        if not any(find(ctx.instance, ctx.asked_org) for find in _org_finders):
            raise NotFound("org.not_found", field=HEADER)
        return
    if _holds(ctx.rights.orgs.get(ctx.asked_org, frozenset()), needs):
        return
    below = _holding(ctx.rights, needs)
    if any(below) and any(ctx.asked_org in find(ctx.instance, *below) for find in _surroundings):
        return
    if needs != AUTHENTICATED and not ctx.rights.anywhere(needs):
        raise PermissionDenied("auth.permission_denied")
    raise NotFound("org.not_found", field=HEADER)


def _holds(held: Collection[str], needs: str) -> bool:
    return bool(held) if needs == AUTHENTICATED else needs in held


def _holding(rights: Rights, needs: str) -> tuple[list[str], list[str]]:
    """Projects and grants of which the caller holds the permission."""
    projects = [id for id, held in rights.projects.items() if _holds(held, needs)]
    return projects, [id for id, held in rights.grants.items() if _holds(held, needs)]
