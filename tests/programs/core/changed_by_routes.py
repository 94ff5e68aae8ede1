"""Routes that change the list of routes when they are asked, as those that load others do."""

from drive import *
import importlib


def ok(name):
    async def endpoint(request):
        return S.PlainTextResponse(name)

    return endpoint


def route_that(changes):
    """A route that matches nothing, and changes its router when it is asked."""

    class Changing(importlib.import_module("starlette.routing").BaseRoute):
        router = None
        asked = 0

        def matches(self, scope):
            self.asked += 1
            changes(self, self.router, scope)
            return S.Match.NONE, {}

    return Changing()


def served(change, first=(), plain=False):
    route = route_that(change)
    app = S.Starlette(routes=[S.Route("/a", ok("a"))])
    if first:
        go(app, *first)
        go(app, *first)
    route.router = app.router
    app.router.routes += [route, S.Route("/b", ok("b")), S.Route("/c/", ok("c"), methods=["PUT"])]
    if plain:
        app.router.routes = list(app.router.routes)
    out = [go(app, path) for path in ("/b", "/late", "/c", "/c/", "/lazy", "/a", "/b", "/late")]
    return [*out, route.asked]


def everyway(change):
    return [
        served(change, first, plain) for first in ((), ("/a", "/none")) for plain in (False, True)
    ]


def case_appends():
    def change(route, router, scope):
        if len(router.routes) < 6:
            router.routes.append(S.Route("/late", ok("late")))

    return everyway(change)


def case_appends_for_a_prefix():
    def change(route, router, scope):
        if scope["path"].startswith("/lazy/") and len(router.routes) < 6:
            router.routes.append(S.Route("/lazy/", ok("lazy")))

    return everyway(change)


def case_removes_itself():
    return everyway(lambda route, router, scope: router.routes.remove(route))


def case_inserts_before():
    def change(route, router, scope):
        if len(router.routes) < 9:
            router.routes.insert(0, S.Route("/late", ok("late")))

    return everyway(change)


def case_clears():
    return everyway(lambda route, router, scope: router.routes.clear())


def case_puts_others_in_the_place_of_those_after():
    def change(route, router, scope):
        at = router.routes.index(route) + 1
        router.routes[at:] = [S.Route("/b", ok("other")), S.Route("/late", ok("late"))]

    return everyway(change)


def case_sorts():
    def change(route, router, scope):
        router.routes.sort(key=lambda route: getattr(route, "path", "/a"), reverse=True)

    return everyway(change)


def case_assigns_another_list():
    def change(route, router, scope):
        router.routes = [S.Route("/b", ok("other")), S.Route("/late", ok("late"))]

    return everyway(change)


def case_changes_a_route_after_it():
    def change(route, router, scope):
        router.routes[-2].endpoint = "endpoint"
        router.routes[-2].methods = {"PUT"}

    return everyway(change)


def by_its_convertor(change):
    """What is answered where a convertor changes the routes, while its own route matches in part."""
    out = []
    for first in ((), ("/a", "/none")):

        class Changing(S.convertors.Convertor):
            regex = "[a-z]+"

            def convert(self, value):
                change(app.router)
                return value

            def to_string(self, value):
                return value

        S.convertors.register_url_convertor("changing", Changing())
        in_part = [
            S.Route("/{name:changing}", ok("in part"), methods=["PUT"]),
            S.Route("/of/{name:changing}/two/{other}", ok("in part"), methods=["PUT"]),
        ]
        app = S.Starlette(
            routes=[S.Route("/a", ok("a")), *in_part, S.Route("/of/{a:path}", ok("c"))]
        )
        for path in first:
            go(app, path)
        for path in ("/late", "/b", "/of/b/two/c", "/c", "/late", "/a"):
            out.append([path, go(app, path), len(app.router.routes)])
    return out


def case_a_convertor_appends():
    def change(router):
        if len(router.routes) < 5:
            router.routes.append(S.Route("/late", ok("late")))

    return by_its_convertor(change)


def case_a_convertor_removes():
    return by_its_convertor(lambda router: router.routes.__delitem__(slice(3, None)))


def case_a_convertor_assigns_others():
    def change(router):
        router.routes = [*router.routes[:4], S.Route("/late", ok("late"))]

    return by_its_convertor(change)
