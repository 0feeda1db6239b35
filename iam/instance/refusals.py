"""The refusals of this room: text and id."""

REFUSALS = {
    "instance.already_exists": ("Instance already exists", ""),
    "instance.not_changed": ("Instance has not changed", "INST-DS3rq"),
    "instance.domain_already_exists": ("Domain already exists", "V3-DKcYh"),
    "instance.domain_not_found": ("Domain not found", "INST-ds3rq"),
    "instance.domain_in_use": ("The primary and the generated domain cannot be removed", "INST-9nwEr"),
    "instance.domain_invalid": ("This is not a host name", "INST-28nlD"),
    "instance.name_invalid": ("The name needs 1 to 200 characters", "INST-092mid"),
    "instance.language_unknown": ("This language is not offered; use en, de or es", "INST-28nlL"),
    "instance.setting_invalid": ("The value of a setting is out of its bounds", "INST-set7b"),
    "member.last_owner": ("The last owner stays", "MEMBER-l4st0"),
    "password.too_short": ("Password is too short", "DOMAIN-HuJf6"),
    "password.too_long": ("Password is too long", "DOMAIN-HuJf7"),
    "password.lowercase_missing": ("Password must contain a lower case letter", "DOMAIN-co3Xw"),
    "password.uppercase_missing": ("Password must contain an upper case letter", "DOMAIN-VoaRj"),
    "password.number_missing": ("Password must contain a number", "DOMAIN-ZBv4H"),
    "password.symbol_missing": ("Password must contain a symbol", "DOMAIN-ZDLwA"),
}
