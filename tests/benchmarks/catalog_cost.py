"""What the catalogue costs a project that imports ten SDKs: python tests/benchmarks/catalog_cost.py [--packed]

Prints CPU milliseconds, best of several runs, each in a process of its own: to import the catalogue's modules, to load
it, and to look up a name of each SDK and of the modules that every project uses. `--packed` measures what a wheel
holds, a checkout reads TOML.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SDKS = ["boto3", "httpx", "kubernetes", "openai", "psycopg2", "pymongo", "redis", "requests", "sqlalchemy", "supabase"]
EVERYWHERE = ["asyncio", "builtins", "os", "pathlib", "socket", "subprocess", "threading", "time"]
RUNS = 7
CHILD = """
import json, sys, time
from pathlib import Path
start = time.process_time()
from loopsafe import catalog
from loopsafe.catalog import loader
imported = time.process_time()
if sys.argv[1]:
    loader.find_rules = lambda: Path(sys.argv[1])
loaded = catalog.load(sys.argv[2:])
loaded.digest
read = time.process_time()
for name in sys.argv[2:]:
    loaded.facts(name + ".anything")
loaded.property_names
end = time.process_time()
print(json.dumps([imported - start, read - imported, end - read]))
"""


def measure(rules: str) -> list[float]:
    """The least seconds of each step."""
    command = [sys.executable, "-c", CHILD, rules, *SDKS, *EVERYWHERE]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
    return [min(step) for step in zip(*runs, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", action="store_true", help="measure the form that a wheel holds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.packed:
            from loopsafe.catalog.loader import PACKED, pack_shipped

            Path(folder, PACKED).write_bytes(pack_shipped())
        steps = measure(folder if options.packed else "")
    for name, seconds in zip(("import", "load", "ten SDKs"), steps, strict=True):
        print(f"{name:10}{seconds * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
