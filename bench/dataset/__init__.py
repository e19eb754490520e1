"""Test data: one named exam per situation, what it is made of and what it must cause."""
