"""ListMilestones of zitadel.admin.v1.AdminService."""

from typing import Any

from iam.api.gen import admin_v1, milestone_v1
from iam.api.lists import sliced, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.usage.milestone import Milestone
from iam.usage.models import MilestoneRow

admin = Service("zitadel.admin.v1.AdminService")
REACHED_DATE = 2


@admin.method
def ListMilestones(ctx: Context, request: Any) -> Any:
    """Every milestone, reached or not, in the order of their kinds or of their dates."""
    ctx.require("milestones.read", ctx.instance)
    rows = MilestoneRow.objects.filter(instance_id=ctx.instance)
    reached = dict(rows.values_list("type", "reached_at"))
    kinds = [int(one) for one in Milestone if _wanted(request, int(one) in reached)]
    if request.sorting_column == REACHED_DATE:
        kinds.sort(key=lambda one: (one not in reached, reached.get(one, ctx.now())))
    if not request.query.asc and request.sorting_column:
        kinds.reverse()
    found = sliced(kinds, request.query)
    shown = [milestone_v1.Milestone(type=one, reached_date=stamp(reached.get(one))) for one in found]
    answer = admin_v1.ListMilestonesResponse(result=shown)
    answer.details.total_result = len(kinds)
    answer.details.view_timestamp.FromDatetime(ctx.now())
    return answer


def _wanted(request: Any, is_reached: bool) -> bool:
    for query in request.queries:
        if query.WhichOneof("query") != "is_reached_query":
            raise InvalidInput("api.query_unsupported", field="queries")
        if query.is_reached_query.reached != is_reached:
            return False
    return True
