"""The public door for mmpose's configs: `orplugins.mmpose.guard`."""
