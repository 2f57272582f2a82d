"""Floor 2: who is calling, and what the citizen allowed. The rooms above see `auth.consent` alone."""
