"""What wallets and whoever reads a credential are answered, in one list."""

from api.wallet import config, credentials, statuses

handlers = [handler for module in (config, credentials, statuses) for handler in module.handlers]
