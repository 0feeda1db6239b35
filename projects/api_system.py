"""Administrators of any instance over zitadel.system.v1.SystemService."""

from dataclasses import replace
from typing import Any

from iam.api.gen import system_v1 as system
from iam.api.methods import Service
from iam.instance.queries import must_be_instance
from iam.kernel.context import Context
from projects.administrators import list_instance_members
from projects.api_v1_members import page_of_members

operators = Service("zitadel.system.v1.SystemService")


@operators.method
def ListIAMMembers(ctx: Context, request: Any) -> Any:
    """The administrators of an instance."""
    rows = list_instance_members(ctx, instance_id=request.instance_id)
    must_be_instance(request.instance_id)
    result, details = page_of_members(replace(ctx, instance=request.instance_id), rows, request)
    return system.ListIAMMembersResponse(details=details, result=result)
