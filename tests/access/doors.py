"""What each door may touch: the one table in which a new right must be written before its test is green again."""

OURS = ["keys", "core", "auth", "scoring", "incentives"]
LOGINS = ["auth", "citizen", "partner", "source", "scorer", "staff", "jobs"]
# Roles that cannot log in: what the functions that they own may touch.
BEHIND = [*LOGINS, "gate", "eraser"]

WITHOUT_ROWS = {"scoring.staging": "COPY FROM, which fills it, does not work with row security"}
