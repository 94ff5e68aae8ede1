"""Finding products: by id, by article number, by category, by words."""

from __future__ import annotations

from typing import NamedTuple

from starlette.convertors import Convertor, register_url_convertor

from .data import CATEGORIES, Product, Review, build_products, build_reviews, folded
from .errors import NotFound


class Sku(NamedTuple):
    """An article number such as TEA-0007."""

    family: str
    number: int

    def __str__(self) -> str:
        return f"{self.family}-{self.number:04d}"


class SkuConvertor(Convertor[Sku]):
    """Path parameter `{sku:sku}`."""

    regex = "[A-Z]{3}-[0-9]{4}"

    def convert(self, value: str) -> Sku:
        family, _, number = value.partition("-")
        return Sku(family, int(number))

    def to_string(self, value: Sku | str) -> str:
        return str(value)


register_url_convertor("sku", SkuConvertor())


class Catalogue:
    """The products on offer. It does not change while the shop is open."""

    def __init__(self) -> None:
        self.products = build_products()
        self._by_id = {product.id: product for product in self.products}
        self._by_sku = {product.sku: product for product in self.products}
        self._reviews = {product.id: build_reviews(product) for product in self.products}
        self._words = {product.id: folded(product.name) for product in self.products}

    def product(self, product_id: int) -> Product:
        """The product with this id; raises NotFound."""
        try:
            return self._by_id[product_id]
        except KeyError:
            raise NotFound("product", str(product_id)) from None

    def product_by_sku(self, sku: Sku) -> Product:
        """The product with this article number; raises NotFound."""
        try:
            return self._by_sku[str(sku)]
        except KeyError:
            raise NotFound("product", str(sku)) from None

    def reviews(self, product_id: int) -> list[Review]:
        """The published reviews of a product; raises NotFound."""
        return self._reviews[self.product(product_id).id]

    def in_category(self, slug: str) -> list[Product]:
        """The products of a category; raises NotFound."""
        if slug not in CATEGORIES:
            raise NotFound("category", slug)
        return [product for product in self.products if product.category == slug]

    def cheaper_than(self, price: float) -> list[Product]:
        """The products below a price, cheapest first."""
        found = [product for product in self.products if product.price < price]
        return sorted(found, key=lambda product: (product.price, product.id))

    def search(self, text: str, limit: int) -> list[Product]:
        """At most `limit` products whose name or tags contain all words of `text`."""
        words = folded(text).split()
        if not words:
            return []
        found = []
        for product in self.products:
            haystack = " ".join((self._words[product.id], *product.tags))
            if all(word in haystack for word in words):
                found.append(product)
                if len(found) == limit:
                    break
        return found
