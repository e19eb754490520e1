"""A small native Source: `python tests/independent/box --config F --ready R --store FOLDER`.

Written from the public texts on other code than the bench's: it imports nothing of it. What it
leaves out on purpose is chosen by `--gap`, so that a campaign can be seen to tell it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from pathlib import Path

from feeding import Feeder
from images_door import ImagesDoor
from message_door import MessageDoor
from own_pacs import OwnPacs
from registry import Registry

GAPS = ("white-list", "server-error", "retry", "pacs-events", "ins")


def main() -> None:
    """Serve until standard input closes."""
    given = argparse.ArgumentParser()
    given.add_argument("--config", type=Path, required=True)
    given.add_argument("--ready", type=Path, required=True)
    given.add_argument("--store", type=Path, required=True, help="where its PACS keeps images")
    given.add_argument("--gap", choices=GAPS, action="append", default=[])
    options = given.parse_args()
    config = tomllib.loads(options.config.read_text(encoding="utf-8"))
    gaps = frozenset(options.gap)

    pacs = OwnPacs(options.store, config["store"])
    feeder = Feeder(
        Registry(config["dmp"], config["identity"]),
        pacs,
        config["wado"]["public_url"],
        retrying="retry" not in gaps,
        watching="pacs-events" not in gaps,
    )
    messages = MessageDoor(feeder, config["mllp"]["port"])
    images = ImagesDoor(feeder, pacs, config, gaps)
    for part in (pacs, feeder, messages, images):
        part.start()
    told = {
        "role": "source",
        "pid": os.getpid(),
        "mllp": messages.address,
        "wado": images.address,
        "store": pacs.address,
    }
    scratch = options.ready.with_suffix(".new")
    scratch.write_text(json.dumps(told), encoding="utf-8")
    scratch.replace(options.ready)
    sys.stdin.read()
    os._exit(0)


main()
