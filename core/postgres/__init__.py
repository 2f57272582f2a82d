"""The embedded PostgreSQL from inside: identities, one run of the server, migrations."""
