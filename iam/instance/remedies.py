"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

BOUNDS = "Read the setting first, and send values within the bounds of its documentation."
REMEDIES = {
    "instance.already_exists": ("There is an instance with this id.", "Choose another id, or leave the id out."),
    "instance.domain_already_exists": ("An instance has this domain.", "Remove it there first, or choose another."),
    "instance.domain_not_found": ("The instance does not have this domain.", "List the instance's domains."),
    "instance.domain_in_use": (
        "The primary domain and the generated one cannot be removed.",
        "Make another domain the primary one first.",
    ),
    "instance.domain_invalid": ("The value is no host name.", "Send a host name without scheme, port and path."),
    "instance.name_invalid": ("The name is empty or too long.", "Send 1 to 200 characters."),
    "instance.language_unknown": ("Pages do not exist in this language.", "Use en, de or es."),
    "instance.setting_invalid": ("The value is out of its bounds.", BOUNDS),
    "instance.failure_not_found": (
        "No follower of the log is stopped at this event, perhaps because it went on meanwhile.",
        "List the failed events again.",
    ),
    "instance.system_only": (
        "This belongs to who operates the system, not to an instance.",
        "Do it with the command line, or as a system user.",
    ),
    "member.last_owner": (
        "The instance or organization would be left without an owner.",
        "Give another user the owner's role first.",
    ),
    "password.too_short": ("The password has fewer characters than the policy asks for.", "Choose a longer one."),
    "password.too_long": ("The password is longer than is accepted.", "Choose a shorter one."),
    "password.lowercase_missing": ("The policy asks for a lower case letter.", "Add one."),
    "password.uppercase_missing": ("The policy asks for an upper case letter.", "Add one."),
    "password.number_missing": ("The policy asks for a digit.", "Add one."),
    "password.symbol_missing": ("The policy asks for a character that is neither letter nor digit.", "Add one."),
    "setting.value_invalid": ("The value is out of its bounds.", BOUNDS),
    "setting.colour_invalid": ("The value is no colour.", "Write #rgb, #rrggbb or #rrggbbaa."),
    "setting.link_invalid": ("The value is no complete address.", "Send a whole http or https address."),
    "setting.email_invalid": ("The value is no e-mail address.", "Send one address, name@domain."),
    "setting.origin_invalid": (
        "The value is no origin.",
        "Send the host, with scheme and port if needed, without a path.",
    ),
    "setting.not_changed": ("The settings have these values already.", "Nothing needs to be done."),
    "setting.none_given": ("No value was sent.", "Send at least one setting."),
    "setting.already_custom": ("The organization has settings of its own.", "Update them instead of creating them."),
    "setting.not_custom": ("The organization uses the instance's settings.", "Create settings of its own first."),
    "setting.factor_already_listed": ("The factor is allowed already.", "Nothing needs to be done."),
    "setting.factor_not_listed": ("The factor is not in the list.", "List the factors that are allowed."),
    "setting.provider_unknown": ("No identity provider has this id.", "List the identity providers."),
    "setting.asset_not_found": ("No such file was uploaded.", "Upload it first."),
    "setting.asset_too_large": ("The file is larger than is accepted.", "Upload a smaller one."),
    "setting.asset_invalid": (
        "The file is of another type.",
        "Upload an image or font of a type that is named in the documentation.",
    ),
    "setting.translation_too_large": ("The texts are too long together.", "Shorten them."),
    "feature.none_given": ("No feature was named.", "Send at least one feature with its value."),
}
