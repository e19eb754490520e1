"""Binds the scenario of features/fourni, played by `drimbench run --report`."""

from pytest_bdd import scenarios

scenarios("fourni")
