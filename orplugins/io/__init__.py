"""Files: one reader and one writer per format; nothing is drawn or decided here."""
