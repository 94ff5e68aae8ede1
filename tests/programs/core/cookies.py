"""Cookies, where somebody has changed how the standard library writes them."""

from drive import *
import http.cookies
import re


def cookies():
    response = S.PlainTextResponse("x")
    response.set_cookie("a", 'v;1"', max_age=3, samesite="strict", httponly=True, domain="d.io")
    response.set_cookie("a", "v", max_age=3)
    response.delete_cookie("b")
    return re.sub("expires=[^;]*", "expires", norm(response.raw_headers))


def with_attribute(owner, name, value):
    """What is set before, with, and after an attribute of another value."""
    out = [cookies(), cookies()]
    before = vars(owner)[name]
    setattr(owner, name, value(before))
    out.append(cookies())
    setattr(owner, name, before)
    return [*out, cookies()]


def case_functions_replaced():
    cookies_ = http.cookies

    def ends(end):
        return lambda old: lambda self, *args, **kwargs: old(self, *args, **kwargs) + end

    return [
        with_attribute(cookies_.Morsel, "OutputString", ends("; Partitioned")),
        with_attribute(cookies_.Morsel, "output", ends("; More")),
        with_attribute(cookies_.BaseCookie, "output", ends("; End")),
        with_attribute(
            cookies_.SimpleCookie, "value_encode", lambda old: lambda self, it: (it, "<" + it)
        ),
        with_attribute(
            cookies_.Morsel,
            "__setitem__",
            lambda old: lambda self, name, value: old(self, name, f"<{value}"),
        ),
        with_attribute(
            cookies_.BaseCookie,
            "__setitem__",
            lambda old: lambda self, name, value: old(self, name, f"<{value}"),
        ),
        with_attribute(cookies_, "_quote", lambda old: lambda text: f"<{text}"),
        with_attribute(
            cookies_,
            "SimpleCookie",
            lambda old: type("Mine", (old,), {"output": ends("!")(old.output)}),
        ),
    ]


def case_method_added():
    simple = http.cookies.SimpleCookie
    out = [cookies()]
    simple.output = lambda self, *args, **kwargs: "a=mine"
    out.append(cookies())
    del simple.output
    return [*out, cookies()]


def case_names_of_attributes():
    morsel = http.cookies.Morsel
    out = [cookies()]
    morsel._reserved["max-age"] = "MAX"
    out.append(cookies())
    morsel._reserved["max-age"] = "Max-Age"
    morsel._flags.discard("httponly")
    out.append(cookies())
    morsel._flags.add("httponly")
    return [*out, cookies()]
