"""How people and apps get in: the OAuth endpoints, the login at the city's provider, consent to an app, step-up."""
