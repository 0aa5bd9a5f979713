import pytest

from mcnode.connection.url import UrlSyntaxError, parse_url


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("mc://h", "mc://h"),
        ("MC://Host.Name:0443/", "mc://Host.Name:443/"),
        ("  mc://h/ ", "mc://h/"),
        ("mc://h:/", "mc://h/"),
        ("mc://u:p@h", "mc://u:p@h"),
        ("mc://u:@h", "mc://u@h"),
        ("mc://a:b:c@d@h/", "mc://a:b%3Ac%40d@h/"),
        ("mc://u%20v@h/", "mc://u%20v@h/"),
        ("mc://h/a/../b/./c", "mc://h/b/c"),
        ("mc://h/a/..", "mc://h/"),
        ("mc://h/%2e%2E/x", "mc://h/x"),
        ("mc://h/?a=b#c", "mc://h/?a=b#c"),
        ("mc://h?x=ü", "mc://h?x=%C3%BC"),
        ("mc://[::1]:5/", "mc://[::1]:5/"),
        ("mc://[2001:DB8:0:0:1:0:0:1]/", "mc://[2001:db8::1:0:0:1]/"),
        ("mc://[0:0:0:0:0:0:0:0]/", "mc://[::]/"),
        ("mc://[1:0:2:3:4:5:6:7]/", "mc://[1:0:2:3:4:5:6:7]/"),
        ("mc://[::ffff:1.2.3.4]/", "mc://[::ffff:102:304]/"),
        ("mc:///", "mc:///"),
        ("mc:opaque", "mc:opaque"),
        ("mc://h\n/", "mc://h/"),
    ],
)
def test_normal_forms(text: str, normal: str) -> None:
    assert parse_url(text).to_text() == normal
    assert parse_url(normal).to_text() == normal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "relative URL without a base"),
        ("abc", "relative URL without a base"),
        ("127.0.0.1:12345", "relative URL without a base"),
        ("//host/", "relative URL without a base"),
        ("mc://    /", "invalid domain character"),
        ("mc://a^b/", "invalid domain character"),
        ("mc://u@/", "empty host"),
        ("mc://:80/", "empty host"),
        ("mc://h:65536/", "invalid port number"),
        ("mc://h:8o/", "invalid port number"),
        ("mc://h:-1/", "invalid port number"),
        ("mc://h:٣/", "invalid port number"),
        ("mc://[::1/", "invalid IPv6 address"),
        ("mc://[::1%25eth0]/", "invalid IPv6 address"),
        ("mc://[1.2.3.4]/", "invalid IPv6 address"),
        ("mc://" + "h" * 70000, "text has 70005 characters, limit 65536"),
    ],
)
def test_refusals(text: str, reason: str) -> None:
    with pytest.raises(UrlSyntaxError) as caught:
        parse_url(text)
    assert str(caught.value) == reason
