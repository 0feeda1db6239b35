"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "target.not_found": ("No target has this id.", "List the targets."),
    "action.not_found": ("The target or execution does not exist, or is not yours.", "List targets and executions."),
    "target.already_exists": ("The instance has a target of this name.", "Choose another name, or update that target."),
    "target.name_invalid": ("The name is empty or too long.", "Send 1 to 1000 characters."),
    "target.timeout_invalid": ("The timeout is out of its bounds.", "Send 0 to 270 seconds."),
    "target.endpoint_invalid": (
        "The address is not https, has credentials, a fragment or a port below 1024 other than 443, or leads to a network"
        " that is not called.",
        "Send an https address of a public host. Operators who want inner hosts called shorten `HTTPClient.DenyList`.",
    ),
    "target.payload_unsupported": (
        "The payload would be a JWT or JWE, which this version does not send.",
        "Leave the payload type out, or send PAYLOAD_TYPE_JSON: the body is signed in the header ZITADEL-Signature.",
    ),
    "target.expiration_invalid": (
        "A new signing key is made at once; how long the one before signs beside it is for the operator to say.",
        "Send 0s, or leave the field out. The knob is `Executions.SigningKeyOverlap`.",
    ),
    "execution.event_unknown": (
        "No fact of the log has this type. What is only recorded as use (sign-ins, tokens issued) is none, either.",
        "List the types with ListEventTypes of zitadel.admin.v1.AdminService.",
    ),
    "execution.group_unknown": (
        "A group is the beginning of types up to a dot, such as `user` or `user.human`; no type begins so.",
        "List the types with ListEventTypes of zitadel.admin.v1.AdminService.",
    ),
    "execution.targets_too_many": ("The list of targets is too long.", "Send at most 20 targets."),
    "execution.condition_unsupported": (
        "The condition is on requests, responses or functions, whose targets could change what is answered.",
        "Set a condition on events.",
    ),
}
