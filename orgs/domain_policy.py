"""Whether the domains of an organization need proof before they count (setting `validateOrgDomains`, off by default)."""

from iam.instance.models import InstanceRow


def is_proof_needed(instance: str) -> bool:
    """Read now; a change of the policy concerns domains that are added from then on."""
    changed = InstanceRow.objects.filter(instance_id=instance).values_list("settings", flat=True).first() or {}
    return bool(changed.get("domain", {}).get("validate_org_domains", False))
