"""Lists of routes: what is copied with them, and who is told that a router was given one."""

from drive import *
import copy
import pickle


class Sitemap:
    """An application that holds the list of routes which it stands in."""

    def __init__(self, routes):
        self.routes = routes

    async def __call__(self, scope, receive, send):
        paths = ",".join(route.path for route in self.routes)
        await S.PlainTextResponse(paths)(scope, receive, send)


def with_sitemap():
    router = S.Router([S.Route("/a", Sitemap([]))])
    router.routes.append(S.Route("/sitemap", Sitemap(router.routes)))
    return router


def case_list_holds_a_route_that_holds_it():
    router = with_sitemap()
    out = [go(router, "/sitemap")]
    copies = [
        copy.deepcopy,
        *(lambda it, n=n: pickle.loads(pickle.dumps(it, n)) for n in (0, 2, 5)),
    ]
    for make in copies:
        routes = make(router.routes)
        other = make(router)
        other.routes.append(S.Route("/b", Sitemap([])))
        same = [routes[1].app.routes is routes, other.routes[1].app.routes is other.routes]
        out.append([same, go(other, "/sitemap", "/b"), go(router, "/sitemap", "/b")])
    return out


def case_copies_of_lists():
    routes = S.Router([S.Route("/a", Sitemap([])), S.Route("/b", Sitemap([]))]).routes
    shallow = copy.copy(routes)
    twice = copy.deepcopy([routes, routes])
    return [
        shallow == routes,
        shallow is routes,
        shallow[0] is routes[0],
        twice[0] is twice[1],
        twice[0] == routes,
        type(shallow) is list or type(shallow).__name__,
        [route.path for route in pickle.loads(pickle.dumps(routes))],
    ]


def case_router_told_of_attributes():
    told = []

    class Mine(S.Router):
        def __setattr__(self, name, value):
            told.append(name)
            super().__setattr__(name, value)

    router = Mine([S.Route("/a", Sitemap([]))])
    before = list(told)
    router.routes.append(S.Route("/b", Sitemap([])))
    return [before, go(router, "/a", "/b"), told]


def case_router_refuses_to_be_changed():
    class Frozen(S.Router):
        def __setattr__(self, name, value):
            if name in self.__dict__:
                raise AttributeError(f"{name} is frozen")
            super().__setattr__(name, value)

    router = Frozen([S.Route("/a", Sitemap([]))])
    out = [go(router, "/a", "/a", "/b")]
    router.routes.append(S.Route("/b", Sitemap([])))
    return [*out, go(router, "/a", "/b"), attempt(setattr, router, "routes", [])]


def case_routes_by_a_property_with_setter():
    told = []

    class Mine(S.Router):
        @property
        def routes(self):
            return self.kept

        @routes.setter
        def routes(self, routes):
            told.append(len(routes))
            self.kept = routes

    router = Mine([S.Route("/a", Sitemap([]))])
    out = [go(router, "/a", "/a", "/b")]
    router.routes.append(S.Route("/b", Sitemap([])))
    return [*out, go(router, "/a", "/b"), told]


def case_no_list_at_all():
    out = []
    for routes in (None, 3, object):
        app = S.Starlette(routes=[S.Route("/a", Sitemap([]))])
        go(app, "/a", "/a")
        app.router.routes = routes
        out.append(go(app, "/a", "/b"))
    return out


def case_list_made_again():
    app = S.Starlette(routes=[S.Route("/a", Sitemap([]))])
    out = [go(app, "/a", "/a", "/b")]
    app.router.routes.__init__([S.Route("/b", Sitemap([]))])
    return [*out, go(app, "/a", "/b"), attempt(app.router.routes.__init__, 3), go(app, "/a", "/b")]
