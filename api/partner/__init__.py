"""`/v1/partner`: what a merchant's system asks."""
