"""`pytest features` plays the scenarios as `drimbench run` does."""

pytest_plugins = ["bench.plugin", "features.steps.patients", "features.steps.publication", "features.steps.images", "features.steps.consultation", "features.steps.fourni", "features.steps.operateur"]  # fmt: skip  # noqa: E501
