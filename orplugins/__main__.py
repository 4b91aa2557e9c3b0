"""``python -m orplugins`` prints what `orplugins.doctor()` found."""

from orplugins import doctor
from orplugins.diagnosis import format_report

if __name__ == "__main__":
    print(format_report(doctor()))
