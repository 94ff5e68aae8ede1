"""A small order service, wired by turbostar.di: an application and a worker share a container."""

from .application import app
from .wiring import di

__all__ = ["app", "di"]
