"""Words for people: sentences about deviations, texts of the report in two languages, numbers with what they count."""
