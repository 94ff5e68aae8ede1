"""Orders once more, without a web application: ``python -m examples.wired_shop.worker grace``."""

from __future__ import annotations

import asyncio
import sys

from turbostar.di import Inject

from .services import Orders, Products
from .wiring import di


async def reorder(customer: str, orders: Inject[Orders], products: Inject[Products]) -> list[str]:
    """Order once more what a customer ordered before; one transaction for each customer."""
    names = []
    for each in orders.of(customer):
        product = products.get(each["product"])
        assert product is not None
        orders.add(customer, each["product"], each["count"])
        names.append(product["name"])
    return names


async def main(customers: list[str]) -> None:
    """Run the job for each customer."""
    async with di.lifespan():
        for customer in customers:
            names = await di.call(reorder, customer)
            sys.stdout.write(f"{customer}: {', '.join(names) or 'nothing'}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["grace"]))
