"""The radiology information system: writes reports, sends them, and calls the Consumer."""
