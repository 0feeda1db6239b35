"""The refusals of this room: text and id."""

REFUSALS = {
    "org.not_found": ("Organisation not found", "ORG-1MRds"),
    "org.id_already_exists": ("Organisation's id already exists", "V3-DKcYh"),
    "org.name_already_exists": ("Organisation's name already taken", "V3-DKcYh"),
    "org.name_invalid": ("The name needs 1 to 200 characters", "ORG-mf9sd"),
    "org.not_changed": ("Organisation has not changed", "ORG-4VSdf"),
    "org.already_inactive": ("Organisation is already deactivated", "ORG-Dbs2g"),
    "org.already_active": ("Organisation is already active", "ORG-bfnrh"),
    "org.inactive": ("Organisation is deactivated", "ORG-in4ct"),
    "org.default_stays": ("The default organisation cannot be deleted", "COMMA-wG9p1"),
    "org.domain_already_exists": ("Domain already exists", "V3-DKcYh"),
    "org.domain_not_found": ("Domain does not exist on the organisation", "ORG-9sdEx"),
    "org.domain_not_verified": ("Domain is not verified", "ORG-pAnsK"),
    "org.domain_primary": ("The primary domain cannot be removed", "ORG-Sjdi3"),
    "org.domain_invalid": ("This is not a domain", "ORG-R24hb"),
    "org.domain_not_public": ("Only a domain of the public Internet can be proved", "ORG-pub1c"),
    "org.domain_already_verified": ("Domain is already verified", "ORG-HGw21"),
    "org.domain_proof_missing": ("Ask for a validation of the domain first", "ORG-SFBB3"),
    "org.domain_verification_failed": ("The proof was not found", "ORG-ISTh3"),
    "org.metadata_empty": ("Metadata list is empty", "META-9mm2d"),
    "org.metadata_not_found": ("There is no metadata under this key", "ORG-m3tad"),
}
