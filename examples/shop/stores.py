"""What the shop remembers while it is open. Nothing here grows without bound."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .catalogue import Catalogue
from .errors import NotFound

Value = TypeVar("Value")

ORDER_NAMESPACE = uuid.UUID("5f0c6f5e-3d0c-5d4a-9a53-1b1f5f6f7a10")


class Recent(Generic[Value]):
    """A mapping that forgets the entry written longest ago when it is full."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: OrderedDict[str, Value] = OrderedDict()

    def put(self, key: str, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self.size:
            self._entries.popitem(last=False)

    def get(self, key: str) -> Value | None:
        return self._entries.get(key)

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)

    def sorted(self) -> list[tuple[str, Value]]:
        return sorted(self._entries.items(), key=lambda entry: entry[0])

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True)
class Order:
    """A priced order. Its id follows from its content, so ordering twice is ordering once."""

    id: uuid.UUID
    customer: str
    lines: tuple[dict[str, Any], ...]
    total: float
    note: str | None
    metadata: Any

    def as_json(self) -> dict[str, Any]:
        """The order as the API shows it."""
        return {
            "id": str(self.id),
            "customer": self.customer,
            "lines": list(self.lines),
            "total": self.total,
            "note": self.note,
            "metadata": self.metadata,
        }


def order_id(customer: str, content: Any) -> uuid.UUID:
    """The id of an order with this content."""
    return uuid.uuid5(ORDER_NAMESPACE, json.dumps([customer, content], sort_keys=True))


def price_lines(catalogue: Catalogue, quantities: dict[int, int]) -> tuple[dict[str, Any], ...]:
    """Order lines with names and prices; raises NotFound for an unknown product."""
    lines = []
    for product_id, quantity in quantities.items():
        product = catalogue.product(product_id)
        lines.append(
            {
                "product_id": product.id,
                "name": product.name,
                "quantity": quantity,
                "price": product.price,
                "total": round(product.price * quantity, 2),
            }
        )
    return tuple(lines)


def make_order(
    catalogue: Catalogue,
    customer: str,
    quantities: dict[int, int],
    note: str | None = None,
    metadata: Any = None,
) -> Order:
    """Price an order of `quantities` (by product id); raises NotFound for an unknown product."""
    lines = price_lines(catalogue, quantities)
    return Order(
        id=order_id(customer, [sorted(quantities.items()), note, metadata]),
        customer=customer,
        lines=lines,
        total=round(sum(line["total"] for line in lines), 2),
        note=note,
        metadata=metadata,
    )


class OrderBook:
    """Orders from before the shop opened, and the newest since."""

    def __init__(self, catalogue: Catalogue) -> None:
        earlier = [
            make_order(catalogue, customer, {number: 1, number + 20: 2}, f"Order {number}")
            for customer in ("grace", "alan")
            for number in range(1, 9)
        ]
        self._earlier = {order.id: order for order in earlier}
        self._new: Recent[Order] = Recent(256)

    def add(self, order: Order) -> None:
        self._new.put(str(order.id), order)

    def order(self, order_id: uuid.UUID) -> Order:
        """The order with this id; raises NotFound."""
        order = self._earlier.get(order_id) or self._new.get(str(order_id))
        if order is None:
            raise NotFound("order", str(order_id))
        return order

    def of_customer(self, customer: str) -> list[Order]:
        """The customer's orders, earlier ones first."""
        orders = [*self._earlier.values(), *(order for _, order in self._new.sorted())]
        return [order for order in orders if order.customer == customer]


class Outbox:
    """Mail waiting to be sent. The same mail is kept once."""

    def __init__(self) -> None:
        self._mail: Recent[dict[str, str]] = Recent(64)

    def write(self, recipient: str, subject: str) -> None:
        """Queue a mail; meant as a background task."""
        key = hashlib.sha256(f"{recipient}\n{subject}".encode()).hexdigest()[:12]
        self._mail.put(key, {"to": recipient, "subject": subject})

    async def write_later(self, recipient: str, subject: str) -> None:
        """Queue a mail, from the event loop."""
        self.write(recipient, subject)

    def as_json(self) -> list[dict[str, str]]:
        return [{"id": key, **mail} for key, mail in self._mail.sorted()]
