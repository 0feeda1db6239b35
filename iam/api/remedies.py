"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

DESCRIBED = "The field in brackets is named; its limits are in /openapi.json."
REMEDIES = {
    "api.unimplemented": (
        "The method is part of the API and not of this version.",
        "See `manage.py coverage` for what is there.",
    ),
    "api.field_missing": ("A required field was not sent.", DESCRIBED),
    "api.length": ("A text is shorter or longer than the field allows, or has a zero byte.", DESCRIBED),
    "api.prefix": ("A text does not begin as the field demands.", DESCRIBED),
    "api.enum_unknown": ("The value is not a name or number of the enum.", DESCRIBED),
    "api.too_many_items": ("A list has more items than the field allows.", "Send several calls with fewer items."),
    "api.too_few_items": ("A list has fewer items than the field demands.", DESCRIBED),
    "api.item_twice": ("A list names the same item more than once.", "Name each item once."),
    "api.only_true": (
        "The field chooses one of several ways and was sent as false, which chooses none.",
        "Send true, or leave the field out and send one of its siblings.",
    ),
    "api.body_invalid": (
        "The body is no JSON, no object, or a value has another type than its field.",
        "The reason in brackets names the place; compare with the schema in /openapi.json.",
    ),
    "api.base64_invalid": (
        "A field of bytes holds signs that base64 does not have.",
        "Encode the bytes in base64; the URL-safe alphabet and missing padding are understood, too.",
    ),
    "api.body_coded": (
        "The body of a REST request is compressed, which the REST paths do not read.",
        "Send it without Content-Encoding; gRPC and Connect take gzip.",
    ),
    "api.body_too_large": (
        "The body has more bytes than Limits.RequestBytes.",
        "Send less at once; operators may raise the limit.",
    ),
    "api.body_too_complex": (
        "The JSON nests deeper than Limits.JSONDepth or has more members than Limits.JSONMembers.",
        "Send less at once; operators may raise the limits.",
    ),
    "api.member_twice": ("An object of the body has two members of one name.", "Send each member once."),
    "api.head_too_large": (
        "Request line and headers together have more bytes than Limits.HeaderBytes.",
        "Send long values in the body (POST) and fewer cookies; operators may raise the limit.",
    ),
    "api.body_too_slow": (
        "The body did not arrive within Limits.BodySeconds.",
        "Send it faster; check the proxies in between.",
    ),
    "api.too_many_requests": (
        "The caller, or the address of calls without good credentials, sent more than RateLimits allows.",
        "Wait as long as Retry-After (REST) or google.rpc.RetryInfo (RPC) says; spread calls over time.",
    ),
    "api.idempotency_key_invalid": (
        "The key is empty, too long, or has other characters.",
        "Use a random UUID for each operation.",
    ),
    "api.idempotency_key_reused": (
        "The caller used this key within 24 hours for the same method with another body or organization.",
        "Use a new key for a new operation, and the old body for a repetition.",
    ),
    "api.idempotency_running": (
        "The first call with this key has not ended.",
        "Send it again in a moment; it will get the first call's answer.",
    ),
    "api.version_changed": (
        "Somebody changed the resource after it was read.",
        "GET it again, look at what changed, and repeat the change with the new ETag.",
    ),
    "api.if_match_invalid": (
        "The header is no list of entity tags.",
        "Send the ETag of the GET answer with its quotes, or *.",
    ),
    "api.if_match_unsupported": (
        "The call creates or lists, or changes another thing than the resource of its address.",
        "Leave If-Match out; nothing was changed.",
    ),
    "api.route_unknown": ("No method has this path.", "See /openapi for every path."),
    "api.list_offset": (
        "Pages that far from the beginning are not computed.",
        "Narrow the list with queries, or go on from the last value of a sorted list.",
    ),
    "api.list_limit": (
        "The limit is larger than that of any list.",
        "Ask for pages of at most 1000, one after another.",
    ),
    "api.query_unsupported": (
        "The list does not know this query or text method.",
        "Use a query of the schema in /openapi.json.",
    ),
    "api.sorting_unsupported": (
        "The list cannot be sorted by this column.",
        "Use a column of the enum that is listed for it.",
    ),
    "api.deadline_exceeded": ("The call took longer than its caller waits.", "Allow more time, or ask for less."),
    "api.service_unknown": ("No service has this name.", "Ask with an empty name, or with the full name of a service."),
    "api.database_away": ("The database does not answer or takes no writes.", "Try again after Retry-After."),
}
