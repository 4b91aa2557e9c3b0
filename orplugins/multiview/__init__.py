"""People of several calibrated cameras: association, triangulation, body prior."""
