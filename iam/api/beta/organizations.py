"""How the messages of instances and organizations differ between v2beta and v2."""

from iam.api.beta.spelling import Spelling, within

FILTERED = {"queries": "filters"}
INSTANCES = (
    within("instance", "Instance", moves={"domains": "custom_domains"}),
    *(
        within("instance", f"List{what}Request", moves=FILTERED)
        for what in ("Instances", "CustomDomains", "TrustedDomains")
    ),
    *(
        within("instance", f"{verb}{kind}DomainRequest", moves={"domain": f"{kind.lower()}_domain"})
        for verb in ("Add", "Remove")
        for kind in ("Custom", "Trusted")
    ),
    within("instance", "Query", "Filter", moves={"id_query": "in_ids_filter", "domain_query": "custom_domains_filter"}),
    within(
        "instance",
        "DomainSearchQuery",
        "CustomDomainFilter",
        moves={
            "domain_query": "domain_filter",
            "generated_query.generated": "generated_filter",
            "primary_query.primary": "primary_filter",
        },
    ),
    within("instance", "TrustedDomainSearchQuery", "TrustedDomainFilter", moves={"domain_query": "domain_filter"}),
)

ORG_ID = {"id": "organization_id"}
DETAILS = ("details.sequence", "details.resource_owner")
ORGANIZATIONS = (
    within("org", "CreateOrganizationRequest", "AddOrganizationRequest", moves=ORG_ID),
    within(
        "org",
        "CreateOrganizationResponse",
        "AddOrganizationResponse",
        moves=ORG_ID
        | {
            "creation_date": "details.creation_date",
            "organization_admins.created_admin": "created_admins",
        },
        beta_only={"organization_admins.assigned_admin": "v2 tells the users that it created only"},
        sister_only=dict.fromkeys((*DETAILS, "details.change_date"), "not told by v2beta"),
    ),
    *(
        within("org", f"{verb}OrganizationRequest", moves=ORG_ID)
        for verb in ("Update", "Delete", "Deactivate", "Activate")
    ),
    within("org", "ListOrganizationsRequest", moves={"pagination": "query", "filter": "queries"}),
    within(
        "org",
        "OrganizationSearchFilter",
        "SearchQuery",
        moves={f"{kind}_filter": f"{kind}_query" for kind in ("name", "domain", "state", "id")},
    ),
    within(
        "org",
        "ListOrganizationsResponse",
        moves={"organizations": "result", "pagination.total_result": "details.total_result"},
        beta_only={"pagination.applied_limit": "v2 does not tell the limit"},
        sister_only=dict.fromkeys(
            ("details.processed_sequence", "details.timestamp", "sorting_column"), "not told by v2beta"
        ),
    ),
    within(
        "org",
        "Organization",
        moves={"creation_date": "details.creation_date", "changed_date": "details.change_date"},
        sister_only=dict.fromkeys(DETAILS, "not told by v2beta"),
    ),
    within("org", "ListOrganizationMetadataRequest", moves={"filter": "filters"}),
    (("metadata.v2beta.MetadataQuery", "metadata.v2.MetadataSearchFilter"), Spelling({"key_query": "key_filter"})),
    within("org", "DomainSearchFilter", moves={"domain_name_filter": "domain_filter"}),
    within("org", "DomainNameFilter", "OrganizationDomainQuery", moves={"name": "domain"}),
    within("org", "Domain", moves={"domain_name": "domain"}),
)
