"""The public entry point for mmpose's configs: `orplugins.mmpose.guard`."""
