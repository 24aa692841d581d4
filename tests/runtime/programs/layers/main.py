"""An order service in layers: what blocks is three calls and three files below the coroutine.

Fixed by: --fix
BlockBuster sees it.
"""

import asyncio

from handlers import cancel_order, create_order, list_orders


async def main() -> None:
    print(await create_order({"customer": "ada", "amount": 5}))
    print(
        await asyncio.gather(
            create_order({"customer": "bob", "amount": 7}), create_order({"customer": "bob", "amount": -1})
        )
    )
    print(await list_orders("bob"))
    print(await cancel_order("bob"))
    print(await list_orders("bob"))
