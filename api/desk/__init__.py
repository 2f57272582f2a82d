"""The credit office's desk: pages over `/v1/staff`, for clerks who logged in at the city's identity provider."""
