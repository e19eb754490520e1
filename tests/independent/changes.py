"""The vendor's program: takes images out of the small Source's PACS, a folder.

`python changes.py FOLDER remove-instance STUDY SERIES INSTANCE`, `remove-study STUDY`, or
`import-xdm FILE`, which ends once the archive was taken.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from threading import Event

folder, action, study, *rest = Path(sys.argv[1]), *sys.argv[2:]
if action == "remove-study":
    shutil.rmtree(folder / study)
elif action == "remove-instance":
    (folder / study / f"{rest[1]}.dcm").unlink()
elif action == "import-xdm":
    laid = folder / "archive.zip"
    shutil.copyfile(study, laid.with_suffix(".new"))
    os.replace(laid.with_suffix(".new"), laid)
    while laid.exists():
        Event().wait(0.05)
else:
    sys.exit(f"action inconnue : {action}")
