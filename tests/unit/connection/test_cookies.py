from mcnode.connection.cookies import COOKIE_BYTES_MAX, COOKIES_MAX, CookieJar


def test_names_and_values_are_kept_attributes_are_not() -> None:
    jar = CookieJar()
    jar.store([("Set-Cookie", "a=1; Path=/"), ("set-cookie", " b = x=y "), ("cookie", "c=3")])
    jar.store([("set-cookie", "a=2")])
    assert jar.metadata() == (("cookie", "a=2"), ("cookie", "b=x=y"))
    jar.clear()
    assert jar.metadata() == ()


def test_malformed_and_oversized_ones_are_left_out() -> None:
    jar = CookieJar()
    jar.store([("set-cookie", "noequals"), ("set-cookie", "=v"), ("set-cookie", b"a=1")])
    jar.store([("set-cookie", "a=" + "x" * COOKIE_BYTES_MAX)])
    assert jar.metadata() == ()
    jar.store([("set-cookie", f"c{number}=1") for number in range(COOKIES_MAX + 5)])
    assert len(jar.metadata()) == COOKIES_MAX
