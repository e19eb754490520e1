"""The vendor's program: takes images out of the small Source's PACS, a folder.

`python changes.py FOLDER remove-instance STUDY SERIES INSTANCE`, or `remove-study STUDY`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

folder, action, study, *rest = Path(sys.argv[1]), *sys.argv[2:]
if action == "remove-study":
    shutil.rmtree(folder / study)
elif action == "remove-instance":
    (folder / study / f"{rest[1]}.dcm").unlink()
else:
    sys.exit(f"action inconnue : {action}")
