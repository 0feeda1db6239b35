"""Whose settings: an organization's own, over the defaults of the instance."""

from iam.instance.setting_commands import Place
from iam.kernel.levels import Level
from orgs.domain.settings import OrgSettings

BY_INSTANCE = ("domain", "organization")
"""Kinds that only an administrator of the instance may change, even for one organization (roles.tsv)."""


def of_org(org_id: str, kind: str = "") -> Place:
    """The settings of an organization."""
    if kind in BY_INSTANCE:
        return Place(OrgSettings, org_id, "iam.policy.write", "iam.policy.delete", Level.ORG)
    return Place(OrgSettings, org_id, "policy.write", "policy.delete", Level.ORG)
