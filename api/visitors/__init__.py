"""Where wallets of other cities' holders come: questions and answers (OpenID4VP 1.0)."""
