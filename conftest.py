"""`pytest features` plays the scenarios as `drimbench run` does."""

from features import STEP_MODULES

pytest_plugins = ["bench.plugin", *STEP_MODULES]
