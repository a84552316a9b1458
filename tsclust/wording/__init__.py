"""Words for people: numbers with what they count."""
