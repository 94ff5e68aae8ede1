"""Checking what clients send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeGuard

from .errors import InvalidFields

MAX_LINES = 50


@dataclass(frozen=True)
class OrderRequest:
    """A checked order: quantities by product id."""

    quantities: dict[int, int]
    note: str | None
    metadata: Any


def is_count(value: Any, low: int, high: int) -> TypeGuard[int]:
    """Whether `value` is a whole number in a range; a bool is no number here."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def parse_order(data: Any) -> OrderRequest:
    """Check the JSON of an order; raises InvalidFields naming every wrong field."""
    if not isinstance(data, dict):
        raise InvalidFields({"": "must be an object"})
    wrong: dict[str, str] = {}
    quantities: dict[int, int] = {}
    lines = data.get("lines")
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        wrong["lines"] = f"must be a list of 1 to {MAX_LINES} lines"
        lines = []
    for index, line in enumerate(lines):
        if not isinstance(line, dict):
            wrong[f"lines.{index}"] = "must be an object"
            continue
        product_id, quantity = line.get("product_id"), line.get("quantity", 1)
        if not is_count(product_id, 1, 10**9):
            wrong[f"lines.{index}.product_id"] = "must be a positive whole number"
        elif not is_count(quantity, 1, 99):
            wrong[f"lines.{index}.quantity"] = "must be a whole number from 1 to 99"
        else:
            quantities[product_id] = quantities.get(product_id, 0) + quantity
    note = data.get("note")
    if note is not None and not isinstance(note, str):
        wrong["note"] = "must be a string"
    if wrong:
        raise InvalidFields(wrong)
    return OrderRequest(quantities, note, data.get("metadata"))


def parse_review(data: Any) -> tuple[int, str]:
    """Check the JSON of a review and return its stars and text; raises InvalidFields."""
    if not isinstance(data, dict):
        raise InvalidFields({"": "must be an object"})
    stars, text = data.get("stars"), data.get("text")
    if not is_count(stars, 1, 5):
        raise InvalidFields({"stars": "must be a whole number from 1 to 5"})
    if not isinstance(text, str) or not text.strip():
        raise InvalidFields({"text": "must not be empty"})
    return stars, text


def query_number(value: str | None, default: int, low: int, high: int) -> int:
    """A number from the query string, kept inside its range; `default` if it is none."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 9:
        return default
    return min(max(int(value), low), high)
