"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

NOTHING = "Nothing needs to be done."
REMEDIES = {
    "session.proof_missing": (
        "The session has not proved a password that counts: none was checked, or it must be changed first.",
        "Check the password in the session, or change it, and use the session token that comes back.",
    ),
    "session.factor_missing": (
        "The organization asks for a second factor, which the session has not proved.",
        "Sign in with a second factor.",
    ),
    "user.not_found": (
        "The user does not exist, was deleted, or is out of the caller's reach.",
        "Check the id; list the users that the caller may see.",
    ),
    "user.already_exists": (
        "The user name, or a login name that it would make, is taken: by a user, a domain, a proved address or an id.",
        "Choose another user name.",
    ),
    "user.id_already_exists": ("A user has the id that was chosen.", "Choose another id, or leave it out."),
    "user.user_name_invalid": (
        "The user name is empty, too long, or has spaces or invisible characters.",
        "Send 1 to 200 visible characters, as they are normally written; no part begins or ends with a dot.",
    ),
    "user.user_name_confusable": (
        "A part of the user name mixes scripts, such as Latin and Cyrillic, so that it could be taken for another name.",
        "Write each part in one script.",
    ),
    "user.names_meet": (
        "User names were unique per organization, and some of them exist twice in the instance; they are listed.",
        "Rename all but one of each, then change the settings again.",
    ),
    "user.name_invalid": ("The name is empty or too long.", "Send 1 to 200 characters."),
    "user.profile_invalid": (
        "A name of the profile is missing or too long.",
        "Send given and family name of 1 to 200 characters.",
    ),
    "user.language_invalid": ("The value is no language tag.", "Send a tag such as en or de-CH (BCP 47)."),
    "user.gender_invalid": ("The value is not one of the list.", "Send a value of the enum Gender."),
    "user.email_invalid": ("The value does not follow the grammar of addresses.", "Send one address, name@domain."),
    "user.phone_invalid": ("The number cannot be read.", "Write it with the country code, as in +41791234567."),
    "user.already_inactive": ("The user is deactivated already.", NOTHING),
    "user.not_inactive": (
        "Only a deactivated user can be reactivated.",
        "Check the user's state; a locked one is unlocked.",
    ),
    "user.should_be_active_or_initial": ("The user is deactivated or deleted.", "Reactivate the user before locking."),
    "user.not_locked": ("The user is not locked.", NOTHING),
    "user.not_human": ("The call is for people; this is a service user.", "Use the call for service users."),
    "user.not_machine": ("The call is for service users; this is a person.", "Use the call for people."),
    "user.pat_not_found": ("The user has no such token.", "List the user's personal access tokens."),
    "user.key_not_found": ("The user has no such key.", "List the user's keys."),
    "user.secret_not_found": ("The service user has no client secret.", "Create one first."),
    "user.metadata_empty": ("No key was sent.", "Send at least one key with its value."),
    "user.email_not_changed": (
        "The address is this one already.",
        "Nothing needs to be done; have it proved by another code.",
    ),
    "user.phone_not_changed": (
        "The number is this one already.",
        "Nothing needs to be done; have it proved by another code.",
    ),
    "user.phone_not_found": ("There is no number that could be taken away.", "Nothing needs to be done."),
    "user.metadata_not_found": ("There is no value under this key.", "List the user's metadata."),
    "user.expiration_past": ("The expiration is not in the future.", "Send a later time, in UTC."),
    "user.public_key_invalid": (
        "The value is no RSA key that can be used.",
        "Send a public key in PEM, of at least 2048 bits.",
    ),
    "user.ranks_higher": (
        "The user has rights that the caller lacks, so the caller could take them over.",
        "Let an administrator of at least the same rank do it.",
    ),
    "user.code_invalid": (
        "The code is wrong, too old, used, or was replaced by a newer one.",
        "Use the newest code, or ask for another.",
    ),
    "user.email_already_verified": ("The address is verified.", NOTHING),
    "user.phone_already_verified": ("The number is verified.", NOTHING),
    "user.phone_missing": ("The person has no phone number.", "Set one first."),
    "user.already_has_password": ("The person can sign in already.", "Send a password reset instead of an invitation."),
    "user.invitation_not_sent": (
        "The person was not invited, or the code was given to the caller and not sent.",
        "Create an invitation.",
    ),
    "user.url_template_invalid": (
        "The link is no http address, or names places that do not exist.",
        "Use only the places of the documentation, such as {{.UserID}}, {{.OrgID}} and {{.Code}}.",
    ),
    "user.part_unsupported": ("This part of a user is not offered by this version.", "Leave the part out."),
    "user.agent_missing": (
        "The caller's token belongs to no session of a user agent.",
        "Sign in with a browser or with a session that names its user agent.",
    ),
    "password.hash_not_supported": (
        "The hash is of an unknown scheme, or would cost too much to check.",
        "Import bcrypt, argon2, scrypt, PBKDF2, SHA-2 or MD5 crypt with usual costs, or send the password; operators set"
        " what may be checked in SystemDefaults.PasswordHasher.Limits.",
    ),
    "password.invalid": ("The user name or the password is wrong.", "Try again, or reset the password."),
    "password.too_many_attempts": (
        "There were too many wrong attempts on this account or from this network.",
        "Wait as long as Retry-After says.",
    ),
    "letter.too_many": (
        "So many codes were sent to this person, address or number, or asked for by this network, as RateLimits.Letters and"
        " RateLimits.Waiting allow.",
        "Wait as long as Retry-After says; the last letter's code is good. Operators raise the setting.",
    ),
    "password.too_busy": (
        "More sign-ins are waiting than the server hashes in time.",
        "Try again after Retry-After; operators raise SystemDefaults.PasswordHasher.Workers or Queue, or add servers.",
    ),
    "password.guessable": ("The password is common, or made of the person's own names.", "Choose a rarer one."),
    "session.not_found": (
        "The session does not exist, has ended, or is out of the caller's reach.",
        "Create a new one.",
    ),
    "session.already_exists": ("A session has this id.", "Create another one."),
    "session.user_changed": ("A session belongs to one user from its first check on.", "Create a new session."),
    "session.token_invalid": (
        "The session token is wrong, or was replaced by a later check.",
        "Use the token of the newest answer about this session.",
    ),
    "session.lifetime_invalid": ("The lifetime is zero, negative or too long.", "Send a duration such as 3600s."),
    "session.check_unsupported": (
        "This kind of check is not offered by this version.",
        "Use user and password checks.",
    ),
    "session.user_missing": (
        "A check was sent before the session knows its user.",
        "Send the user check with it or before.",
    ),
    "session.metadata_too_large": ("The session's metadata is too large.", "Keep less in it."),
    "user.locked": (
        "The user was locked: too many wrong passwords, or by an administrator.",
        "Let an administrator unlock the user.",
    ),
}
