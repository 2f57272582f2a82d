"""What each door may touch: the one table in which a new right must be written before its test is green again."""

OURS = ["keys", "core", "auth", "scoring", "incentives", "jobs"]
LOGINS = ["auth", "citizen", "partner", "source", "scorer", "staff", "jobs", "citycard"]
# Roles that cannot log in: what the functions that they own may touch.
BEHIND = [*LOGINS, "gate", "eraser"]

# COPY FROM does not work with row security. Staging is insert-only for the source door; leaves are salted hashes.
WITHOUT_ROWS = {"scoring.staging", "core.audit_leaf", "core.audit_node"}
