"""Step definitions: three to ten lines each, logic lives in bench."""
