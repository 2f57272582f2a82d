"""What source bureaus are answered, in one list."""

from api.source import declarations, disputes, occupational, records, subjects

handlers = [
    handler for module in (records, declarations, subjects, occupational, disputes) for handler in module.handlers
]
