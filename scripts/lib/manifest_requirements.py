"""Print what the integration's manifest asks for, one requirement a line."""

import json
from pathlib import Path
import sys

manifest = Path(sys.argv[1])
if manifest.exists():
    print(*json.loads(manifest.read_text(encoding="utf-8"))["requirements"], sep="\n")
