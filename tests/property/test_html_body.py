"""A body that is taken, rendered for anybody, is read by another parser as well-formed and without script."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from octoplan.core import templates
from octoplan.core.rules.html import check_html

VALUES = st.sampled_from(
    ["", "Zoé", "<script>x</script>", '" onclick="x', "' onclick='x", "javascript:x", "&lt;b>", "-->"]
)
PIECES = st.sampled_from(
    [
        *(
            "a",
            " ",
            "&amp;",
            "&",
            ">",
            '"',
            "'",
            "=",
            "/",
            "<",
            "</",
            "<!--",
            "-->",
            "<b>",
            "</b>",
            "<i title=",
            "</i>",
        ),
        *("<br>", "<img ", "<a ", "</a>", 'href="', "href='", "src=", "https://acme.example", "/x", "http:", "script"),
        *(" onclick", " style=", "javascript:", "{{ contact.x }}", "{{ contact.y }}", '{{ contact.x or "<b>" }}'),
        *('{{ contact.x or "a\'b" }}', "{{ contact.y|default('\"', true) }}"),
        *(
            "<p>",
            "</p>",
            "<div>",
            "</div>",
            '<a href="https://acme.example/{{ contact.x }}">',
            '<p title="{{ contact.y }}">',
        ),
    ]
)
BODIES = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map("".join),
        inner.map("<b>{}</b>".format),
        inner.map('<a href="https://acme.example/{}">x</a>'.format),
        st.tuples(inner, inner).map("{{% if contact.x %}}{0[0]}{{% else %}}{0[1]}{{% endif %}}".format),
        inner.map("{{% if contact.y %}}{}{{% endif %}}".format),
        inner.map("<i {}>x</i>".format),
    ),
    max_leaves=8,
)
VOID = {"br", "img"}
ENDED = {"p"}
KNOWN = {"b", "i", "a", "br", "img", "p", "div"}


class Reader(HTMLParser):
    """What another parser makes of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in KNOWN
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("href", "src"):
                assert (value or "").lower().startswith("https://acme.example")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in ENDED:
            self.open.pop()
        assert self.open.pop() == tag


@settings(max_examples=120, deadline=None)
@given(BODIES, st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3))
@example(
    '<p title="{{ contact.x }}">{{ contact.y }}<a href="https://acme.example/{{ contact.x }}">x</a>',
    [('" onclick="x', "<b>")],
)
def test_a_body_that_is_taken_is_read_alike(text: str, contacts: list[tuple[str, str]]) -> None:
    template, _ = templates.parse(text, ())
    if template is None:
        return
    folded, _ = templates.fold(template, {})
    if check_html(folded, ()):
        return
    columns = {"x": [x for x, _ in contacts], "y": [y for _, y in contacts]}
    for page in templates.Renderer(folded, html=True).render(columns, len(contacts)):
        reader = Reader()
        reader.feed(page)
        reader.close()
        assert set(reader.open) <= ENDED
        assert not reader.rawdata
