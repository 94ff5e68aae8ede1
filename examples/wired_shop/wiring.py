"""The container: what lives how long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from turbostar.di import Container

from .services import Clock, Orders, Pool, Products, Settings, UnitOfWork

di = Container()
di.add(Clock, scope="app")
di.value(Settings())


@di.provide(scope="app")
def pool(settings: Settings) -> Iterator[Pool]:
    """Opened in the lifespan, closed at its end."""
    opened = Pool(settings)
    yield opened
    opened.close()


@di.provide
async def unit_of_work(pool: Pool) -> AsyncIterator[UnitOfWork]:
    """Committed after the response, rolled back where the handler raised."""
    async with pool.connection() as connection:
        try:
            yield UnitOfWork(connection)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


di.add(Products)
di.add(Orders)
