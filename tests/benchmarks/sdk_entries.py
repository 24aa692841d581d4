"""`loopsafe catalog check` with the corrections beside this file: python tests/benchmarks/sdk_entries.py ENTRIES..."""

import sys
from pathlib import Path

from loopsafe.cli.main import main

raise SystemExit(
    main(["catalog", "check", "--corrections", str(Path(__file__).with_name("sdk_corrections.txt")), *sys.argv[1:]])
)
