"""Floor 3: authorised records become points, with reasons and rights."""
