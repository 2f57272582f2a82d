"""`/v1/citycard`: what an operator of city cards and gates asks. A card's number is accepted here and at a counter."""
