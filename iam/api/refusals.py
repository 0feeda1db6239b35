"""The refusals of this room: text and id."""

REFUSALS = {
    "api.unimplemented": ("This method is not implemented", ""),
    "api.deadline_exceeded": ("The call took longer than its caller waits; nothing was changed", ""),
    "api.field_missing": ("A required field is missing", ""),
    "api.length": ("A value is too short or too long", ""),
    "api.prefix": ("A value must begin otherwise", ""),
    "api.enum_unknown": ("This value is not one of the enum", ""),
    "api.too_many_items": ("Too many items", ""),
    "api.too_few_items": ("Too few items", ""),
    "api.body_invalid": ("The body is not valid JSON for this method", ""),
    "api.body_too_large": ("The body is too large", ""),
    "api.database_away": ("The database does not take this now; try again in a moment", "API-4w4yd"),
    "api.service_unknown": ("There is no such service", ""),
    "api.route_unknown": ("Not Found", ""),
    "api.list_offset": ("The offset is too large; narrow the query instead", ""),
    "api.query_unsupported": ("This query is not supported", ""),
    "api.sorting_unsupported": ("This sorting column is not supported", ""),
}
