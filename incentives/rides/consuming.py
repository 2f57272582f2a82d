"""A credit code consumed at a gate with a line: the check of `incentives.eligibility`, asked at the city card's door.

Of racing gates one has the code; its ride is settled when the usage comes, and is then no second use.
"""

# What the door asks: one check, and every release of the operator's perks.
OPERATOR = (
    "select * from incentives.consume_code($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    "select * from incentives.releases_of_operator($1)",
)
