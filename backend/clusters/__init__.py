"""Places and people: shots that show one setting, appearances of one person, and what people corrected of that."""
