"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "org.not_found": (
        "The organization does not exist, was deleted, or is out of the caller's reach.",
        "Check the id; list the organizations that the caller may see.",
    ),
    "org.id_already_exists": ("An organization has the id that was chosen.", "Choose another id, or leave it out."),
    "org.name_already_exists": ("An organization of the instance has this name.", "Choose another name."),
    "org.name_invalid": ("The name is empty or too long.", "Send 1 to 200 characters."),
    "org.not_changed": ("The organization has this name already.", "Nothing needs to be done."),
    "org.already_inactive": ("The organization is deactivated already.", "Nothing needs to be done."),
    "org.already_active": ("The organization is active already.", "Nothing needs to be done."),
    "org.inactive": ("The organization is deactivated.", "Activate it first."),
    "org.default_stays": (
        "New users and applications fall back to the default organization.",
        "Make another organization the default one first.",
    ),
    "org.domain_already_exists": ("An organization has this domain.", "Remove it there first, or choose another."),
    "org.domain_not_found": ("The organization does not have this domain.", "List its domains; add it first."),
    "org.domain_not_verified": (
        "The organization has not proved that the domain is its own.",
        "Verify the domain first.",
    ),
    "org.domain_primary": ("Login names end with the primary domain.", "Make another domain the primary one first."),
    "org.domain_invalid": ("The value is no domain.", "Send a domain without scheme, port and path."),
    "org.domain_not_public": ("The proof needs a domain of the public Internet.", "Use a public domain."),
    "org.domain_already_verified": ("The domain is verified.", "Nothing needs to be done."),
    "org.domain_proof_missing": ("No proof was asked for.", "Ask for a validation, publish its value, then verify."),
    "org.domain_verification_failed": (
        "The proof was not found in DNS or at the address.",
        "Publish the value exactly as given; wait until DNS shows it; verify again.",
    ),
    "org.metadata_empty": ("No key was sent.", "Send at least one key with its value."),
    "org.metadata_not_found": ("There is no value under this key.", "List the metadata."),
}
