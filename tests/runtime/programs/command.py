"""Commands that are run and waited for.

Fixed by: --fix
BlockBuster sees it.
"""

import os
import subprocess
import sys

DELAY = os.environ["DELAY"]


async def run_tool(text: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-S", "-c", f"import time; time.sleep({DELAY}); print(input().upper())"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


async def main() -> None:
    print(await run_tool("whale"))
    print(subprocess.check_output([sys.executable, "-S", "-c", "print(6 * 7)"]).decode().strip())
    try:
        subprocess.check_call([sys.executable, "-S", "-c", f"import time; time.sleep({DELAY}); raise SystemExit(3)"])
    except subprocess.CalledProcessError as error:
        print("failed with", error.returncode)
