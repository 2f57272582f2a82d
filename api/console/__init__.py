"""A partner's console: pages over `/v1/partner`, for a person whose browser was opened by a link of the partner's."""
