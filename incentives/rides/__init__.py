"""Rides with a discount: lines of a gate's usage, what they settle, and the discounts as an open transit feed."""
