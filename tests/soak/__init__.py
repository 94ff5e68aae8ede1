"""A soak: one schedule of requests on stock Starlette and on turbostar, compared one by one.

``python -m tests.soak --seconds 60 --seed 7``. Nothing in it depends on how fast the machine
is: applications run on a loop whose clock is simulated (`tests.clock`), every request is planned
before (`plans`), and whatever happens to it happens at a moment of that clock.
"""
