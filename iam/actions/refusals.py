"""The refusals of this room: text and id."""

REFUSALS = {
    "target.not_found": ("Target not found", "ACTION-t4rg0"),
    "action.not_found": ("Target or execution not found", "ACTION-n0fnd"),
    "target.already_exists": ("A target of this name exists already", "ACTION-t4rg1"),
    "target.name_invalid": ("The name needs 1 to 1000 characters", "ACTION-t4rg2"),
    "target.timeout_invalid": ("The timeout is 0 to 270 seconds", "ACTION-t4rg3"),
    "target.endpoint_invalid": ("The endpoint must be an https address that may be called", "ACTION-t4rg4"),
    "target.payload_unsupported": ("Only the payload type JSON is offered; JWT and JWE are not built", "ACTION-t4rg5"),
    "target.expiration_invalid": ("A signing key ends at once, or not at all", "ACTION-t4rg6"),
    "execution.event_unknown": ("There is no event of this type", "ACTION-ex3c1"),
    "execution.group_unknown": ("No event begins with this group", "ACTION-ex3c2"),
    "execution.targets_too_many": ("An execution has at most 20 targets", "ACTION-ex3c3"),
    "execution.condition_unsupported": (
        "Only conditions on events are offered; requests, responses and functions are not built",
        "ACTION-ex3c4",
    ),
}
