"""An ORM whose models are msgspec Structs: rows become Structs, Structs become JSON."""
