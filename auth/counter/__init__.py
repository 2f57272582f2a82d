"""People who come without an app: cards with a PIN, clerks who act in their presence, relatives who look for them."""
