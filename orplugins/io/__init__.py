"""Files: one reader and one writer a format; nothing is drawn or decided here."""
