"""A report that is read from a slow file and copied.

Fixed by: --fix
BlockBuster sees it.
"""

import json
import os
from pathlib import Path

PIPE = Path(os.environ["PIPE"])
FOLDER = PIPE.parent


async def read_report(path: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, number = line.partition(" ")
            counts[name] = counts.get(name, 0) + int(number)
    return counts


async def copy_report(target: Path) -> int:
    text = PIPE.read_text(encoding="utf-8")
    target.write_text(text.upper(), encoding="utf-8")
    return len(text)


async def save(counts: dict[str, int], target: Path) -> None:
    with target.open("w") as file:
        json.dump(counts, file, sort_keys=True)


async def main() -> None:
    counts = await read_report(PIPE)
    await save(counts, FOLDER / "counts.json")
    print(open(FOLDER / "counts.json").read())
    print(await copy_report(FOLDER / "copy.txt"))
    print((FOLDER / "copy.txt").read_text())
