"""The shop's goods, customers and sales: the same in every process."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

CURRENCY = "EUR"
FIRST_DAY = date(2024, 1, 1)
PRODUCTS_PER_CATEGORY = 20

CATEGORIES = {
    "tea": ("TEA", "Tea", ("Sencha", "Darjeeling", "Assam", "Oolong", "Rooibos")),
    "coffee": ("COF", "Coffee", ("Arabica", "Espresso", "Mocha", "Café crème", "Lungo")),
    "cups": ("CUP", "Cups & Bowls", ("Mug", "Bowl", "茶碗", "Tumbler", "Saucer")),
    "kettles": ("KET", "Kettles", ("Kettle", "Teapot", "Samovar", "Carafe", "Press")),
    "sweets": ("SWT", "Süßes", ("Biscuit", "Nougat", "Marzipan", "Éclair", "Fudge")),
    "books": ("BOK", "Books", ("Almanac", "Primer", "Atlas", "Recipe book", "Diary")),
}
ADJECTIVES = ("Classic", "Smoky", "Little", "Northern")
TAGS = ("gift", "organic", "fair trade", "new", "limited", "bestseller")
COMMENTS = (
    "Exactly as described.",
    "Arrived in two days, well packed.",
    'My "favourite" <so far>; would buy again & again.',
    "Parfait, très bon rapport qualité/prix.",
    "Nicht schlecht, aber etwas klein.",
)
RATES = {"EUR": "1", "USD": "1.085", "GBP": "0.8475", "JPY": "163.2"}


@dataclass(frozen=True)
class Product:
    """One article; `price` is in the shop's currency."""

    id: int
    sku: str
    name: str
    category: str
    price: float
    stock: int
    rating: float | None
    on_sale: bool
    tags: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The product as the API shows it."""
        return {
            "id": self.id,
            "sku": self.sku,
            "name": self.name,
            "category": self.category,
            "price": self.price,
            "currency": CURRENCY,
            "stock": self.stock,
            "rating": self.rating,
            "on_sale": self.on_sale,
            "tags": list(self.tags),
            "url": f"/product/{self.sku}",
        }


@dataclass(frozen=True)
class Review:
    """What one customer wrote about one product; `stars` is 1 to 5."""

    id: int
    product_id: int
    author: str
    stars: int
    text: str
    day: date

    def as_json(self) -> dict[str, Any]:
        """The review as the API shows it."""
        return {
            "id": self.id,
            "author": self.author,
            "stars": self.stars,
            "text": self.text,
            "day": self.day.isoformat(),
        }


@dataclass(frozen=True)
class Account:
    """A person who can log in, by password or by token."""

    username: str
    full_name: str
    password_sha256: str
    token: str
    scopes: tuple[str, ...]


def build_products() -> list[Product]:
    """All products, ordered by id, which starts at 1."""
    products: list[Product] = []
    for slug, (family, _, nouns) in CATEGORIES.items():
        for number in range(PRODUCTS_PER_CATEGORY):
            product_id = len(products) + 1
            noun = nouns[number % len(nouns)]
            products.append(
                Product(
                    id=product_id,
                    sku=f"{family}-{number + 1:04d}",
                    name=f"{ADJECTIVES[number // len(nouns)]} {noun}",
                    category=slug,
                    price=(product_id * 737 % 9000 + 250) / 100,
                    stock=product_id * 31 % 50,
                    rating=None if product_id % 7 == 0 else (product_id * 13 % 31 + 20) / 10,
                    on_sale=product_id % 5 == 0,
                    tags=tuple(tag for bit, tag in enumerate(TAGS) if product_id >> bit & 1),
                )
            )
    return products


def build_reviews(product: Product) -> list[Review]:
    """The published reviews of a product, ordered by id, which starts at 1."""
    authors = ("ada", "grace", "alan")
    return [
        Review(
            id=number + 1,
            product_id=product.id,
            author=authors[(product.id + number) % len(authors)],
            stars=(product.id + number * 2) % 5 + 1,
            text=COMMENTS[(product.id + number) % len(COMMENTS)],
            day=FIRST_DAY + timedelta(days=product.id * 3 + number),
        )
        for number in range(product.id % 4 + 1)
    ]


def build_accounts() -> dict[str, Account]:
    """The accounts by username."""
    people = (
        ("ada", "Ada Lovelace", "analytical", ("authenticated", "staff", "admin")),
        ("grace", "Grace Hopper", "nanosecond", ("authenticated", "staff")),
        ("alan", "Alan Türing", "enigma", ("authenticated",)),
    )
    return {
        username: Account(
            username, full_name, password_digest(password), f"token-{username}", scopes
        )
        for username, full_name, password, scopes in people
    }


def password_digest(password: str) -> str:
    """The form in which a password is kept."""
    return hashlib.sha256(f"shop:{password}".encode()).hexdigest()


def build_sales(products: list[Product]) -> list[dict[str, Any]]:
    """One row per product and month of half a year: some 100 KiB as JSON."""
    rows = []
    for month in range(1, 7):
        for product in products:
            sold = product.id * month * 17 % 97
            rows.append(
                {
                    "month": f"{FIRST_DAY.year}-{month:02d}",
                    "sku": product.sku,
                    "name": product.name,
                    "sold": sold,
                    "returned": sold % 3,
                    "revenue": round(sold * product.price, 2),
                    "target_met": sold > 40,
                    "note": None if sold else "nothing sold",
                }
            )
    return rows


def folded(text: str) -> str:
    """Text without accents and case, for searching."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
