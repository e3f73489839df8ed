"""An HTML e-mail body: well-formed for every contact, nothing that runs, links and images https."""

from __future__ import annotations

import time

import pytest

from octoplan.core import templates
from octoplan.core.rules.html import check_html

PATH = ("message", "text")


def problems(text: str) -> list[str]:
    """Fold a text as a campaign's would be, and judge it."""
    template, findings = templates.parse(text, PATH)
    assert template, findings
    folded, findings = templates.fold(template, {"vars": {"brace": "{{ <b> }}"}})
    assert not findings
    found = check_html(folded, PATH)
    assert {(one.rule, one.path) for one in found} <= {("email-body", PATH)}
    assert all(one.hint for one in found)
    assert "\ufdd0" not in repr(found)
    return [one.message for one in found]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain & simple &amp; &eacute; &#233; > {{ contact.x }}",
        (
            "<!doctype html>\n<html lang=fr><head><title>A < b {{ contact.x }}</title></head>"
            "<body bgcolor=#fff>x</body></html>"
        ),
        '<p>Bonjour {{ contact.first_name|default("vous", true) }},<p>Salut<br>ici<br/><hr />',
        "<ul><li>a<p>b<li>c</ul><dl><dt>a<dd>b<dt>c</dl>",
        "<table><caption>c<colgroup><col><thead><tr><th>a<th>b<tbody><tr><td>a<td>b<tr><td><p>x</table>",
        "<select><optgroup><option>a<option>b<optgroup><option>c</select><ruby>a<rp>(<rt>b<rp>)</ruby>",
        "<p>a<div>b</div><p><a href='https://acme.example/?a=1&amp;b={{ contact.x }}#c'>x</a>",
        '<A HREF="HTTPS://acme.example/{{ contact.x }}" TARGET=_blank data-x>a</A >',
        (
            '<a href="mailto:{{ contact.x }}">a</a><a href="tel:+33199001234">b</a>'
            '<a href=#top>c</a><img src="cid:logo" alt="l">'
        ),
        '<img src="https://acme.example/a.png" srcset="https://acme.example/a,b.png 2x, https://c.example/c.png 9w">',
        '<td background="https://acme.example/a.png" style="background: url(\'https://acme.example/a.png\') #fff">',
        "<style>a > b { color: red } @media (max-width: 9px) { p { background: url(https://acme.example/a) } }</style>",
        "<!-- a <b> comment -- with > {{ contact.x }} --><p title=\"a > b\" alt='javascript is fine'>",
        (
            '<!--[if mso]><noscript><xml></xml></noscript><table><tr><td style="width:9px"><![endif]-->'
            "<p>x<!--[if mso]></td></table><![endif]-->"
        ),
        "<!--[if !mso]><!--><b>x</b><!--<![endif]--><![if !mso]><i>y</i><![endif]>",
        "<!-- {% if contact.x %}a{% else %}b{% endif %}{% if contact.y %}-{% endif %}-->",
        "{% if contact.x %}<b>a</b>{% elif contact.y %}<i>b</i>{% endif %}<p>",
        "<ul>{% if contact.x %}<li>a{% endif %}<li>b</ul>",
        (
            '<a {% if contact.x %}class="a"{% else %}id=b{% endif %} '
            'href="https://acme.example/{% if contact.y %}a{% endif %}">x</a>'
        ),
        '<a href="{% if contact.x == "<b>" %}https://a.example{% else %}https://b.example{% endif %}/">x</a>',
        (
            '<p title="{{ contact.x or "l\'ami" }}">{{ contact.x or "l\'ami" }} '
            '{{ contact.y|replace("<", "(")|default("a & b", true) }}'
        ),
        "<title>{% if contact.x %}a{% else %}b{% endif %}</ti{% if contact.y %}{% endif %}tle\n>",
        "<style>p { {% if contact.x %}color: red{% endif %} }</style><b>x</b>",
        "<textarea>{% if contact.x %}<b>{% endif %}</textarea>",
        "{% if contact.x %}a{% endif %}<{% if contact.x %}b{% endif %} x>y</b>".replace(
            "<{% if contact.x %}b{% endif %} x", "<b"
        ),
        '{{ "{" }}<b>{{ vars.brace|replace("<b>", "") }}</b>',
        "<o:p>x</o:p><table><tr><td><p>x<table><tr><td><div>y</div></table></table>",
    ],
)
def test_plain_html_is_fine(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<b>x", "`<b>` is never closed"),
        ("<b>" * 300, "more than 256 elements are inside each other"),
        ("<table><tr><td>x", "`<table>` is never closed"),
        ("<style>b {", "`<style>` is never closed"),
        ("x</b>", "`</b>` closes nothing"),
        ("x</br>", "`</br>` closes nothing"),
        ("<p>a<div>b</div></p>", "`</p>` closes nothing"),
        ("<b><i>x</b></i>", "`</b>` comes before `</i>`"),
        ("<div/>", "`<div/>` does not close itself"),
        ("<p><span><div>x</div></span>", "`<div>` cannot stand in a `<p>`, and `<span>` keeps that open"),
        ("a <b", "`<b` is not finished"),
        ('a <b title="x>y</b>', '`<b title="x>y</b>` is not finished'),
        ("a <!-- b", "`<!-- b` is not finished"),
        ("a <", "`<` is not finished"),
        ("<a <b>x</b>", "`<a ` is not finished"),
        ("1 < 2", "a `<` begins no tag"),
        ("<3", "a `<` begins no tag"),
        ("<{{ contact.x }}>", "a `<` begins no tag"),
        ("<b{{ contact.x }}>x</b>", "`<b{{…}}>` is no tag to everybody"),
        ("<hr {{ contact.x }}>", "`<hr {{…}}>` is no tag to everybody"),
        ("<hr title={{ contact.x }}>", "`<hr title={{…}}>` is no tag to everybody"),
        ("<hr a=\"b\"c='d'>", "`<hr a=\"b\"c='d'>` is no tag to everybody"),
        ("<b>x</b y>", "`</b y>` is no tag to everybody"),
        ("<hr a=b=c>", "`<hr a=b=c>` is no tag to everybody"),
        ("<!-->x-->", "`<!-->` is no comment to everybody"),
        ("<!--->x-->", "`<!--->` is no comment to everybody"),
        ("<?php ?>", "a `<` begins no tag"),
        ("<![CDATA[x]]>", "`<![CDATA[x]]>` is no comment to everybody"),
        ("<!-- a --!> b -->", "a comment holds `--!>`, which ends it for some"),
        (
            "{% if contact.x %}<b>{% endif %}x</b>",
            "the branches of an `{% if %}` leave different elements open: nothing or `<b>`",
        ),
        (
            "{% if contact.x %}<b{% else %}<i{% endif %}>",
            "the branches of an `{% if %}` leave different elements open: `<b>` or `<i>`",
        ),
        (
            "<p>{{ contact.x or '<b>' }}",
            "the branches of an `{% if %}` leave different elements open: nothing or `<b>`",
        ),
        (
            f"<hr {''.join(f'{{% if contact.x{n} %}} a{n}=b{{% endif %}}' for n in range(5))}>",
            "`{% if %}` writes one tag or style in more than 16 ways",
        ),
    ],
)
def test_html_that_is_not_well_formed_is_refused(text: str, problem: str) -> None:
    assert problem in problems(text)


SCRIPTS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://acme.example/x.js></SCRIPT>",
    "<script\n/>",
    '<img src="https://acme.example/a" onerror="alert(1)">',
    "<p OnClick=x>",
    "<p x:onclick=x>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" JaVa\tScRipt:alert(1)">x</a>',
    '<a href="java&#10;script&colon;alert(1)">x</a>',
    '<a href="&#x6A;avascript&#58;alert(1)">x</a>',
    '<a href="&#106&#97vascript:alert(1)">x</a>',
    '<a href="java\u200bscript:x">x</a>',
    '<a href="\x01javascript:x">x</a>',
    '<a href="vbscript:x">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<img src="data:image/png;base64,iVBORw0KGgo=">',
    '<p dynsrc="javascript:x">',
    '<p title="x" foo=" java script:x">',
    '<p style="background: url(javascript:x)">',
    "<p style=\"background: u\\72l('http://acme.example')\">",
    '<p style="width: expr/**/ession(alert(1))">',
    '<p style="-moz-binding: url(https://acme.example/x)">',
    '<p style="behavior : url(#x)">',
    "<p style=\"background: image-set('http://acme.example/x' 1x)\">",
    '<p style="color: {{ contact.x }}">',
    "<style>@\\69mport 'https://acme.example/x';</style>",
    "<style>@import 'https://acme.example/x';</style>",
    "<style>p { background: url(//acme.example/x) }</style>",
    "<style>{{ contact.x }}</style>",
    "<style>\\110000 @import</style>",
    '<iframe src="https://acme.example/"></iframe>',
    '<iframe srcdoc="&lt;script&gt;"></iframe>',
    '<object data="https://acme.example/"></object>',
    '<embed src="https://acme.example/">',
    '<form action="https://acme.example/"></form>',
    '<button formaction="javascript:x">x</button>',
    '<base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '<link rel="stylesheet" href="https://acme.example/x.css">',
    "<svg><a xlink:href='javascript:x'></a></svg>",
    "<math></math>",
    "<noscript><p></noscript>",
    "<template></template>",
    "<!--[if mso]><script>x</script><![endif]-->",
    "<!--[if mso]><v:rect onclick=x><![endif]-->",
    "<!--[if mso]><v:fill src='http://acme.example/x' /><![endif]-->",
    "<!--[if mso]><style>@import 'x'</style><![endif]-->",
    "<!--[if mso]><hr {{ contact.x }}><![endif]-->",
    "<!--[if mso]><?xml version='1.0'?><![endif]-->",
    "{% if contact.x %}{% else %}<p onclick=x>{% endif %}",
    '<hr {% if contact.x %}onclick="x"{% endif %}>',
    "<hr {% if contact.x %}on{% endif %}click='x'>",
    '<a href="{% if contact.x %}https{% else %}javascript{% endif %}://x.example/">x</a>',
    '<b title="{{ contact.x or \'a" onclick="x\' }}">x</b>',
    "{{ contact.x or '<script>' }}",
    "{{ contact.x|default('<script>x</script>', true) }}",
    '<{{ "script" }}>x</script>',
    "<scr{# #}ipt>x</script>",
]


@pytest.mark.parametrize("text", SCRIPTS)
def test_nothing_that_runs_or_loads_is_taken(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://acme.example/", "is `http:`"),
        ("ftp://acme.example/", "is `ftp:`"),
        ("//acme.example/", "has no scheme"),
        ("/offers", "has no scheme"),
        ("acme.example", "has no scheme"),
        ("", "has no scheme"),
        ("https:acme.example", "is `https:`"),
        ("https:///x", "is read in different ways"),
        ("https://acme.example@evil.example/", "is read in different ways"),
        ("https://acme.example\\@evil.example/", "is read in different ways"),
        ("{{ contact.x }}", "takes its scheme and host from a contact's value"),
        ("{{ contact.x }}://acme.example/", "takes its scheme and host from a contact's value"),
        ("java{{ contact.x }}", "takes its scheme and host from a contact's value"),
        ("https://{{ contact.x }}/a", "takes its host from a contact's value"),
        ("https://{{ contact.x }}.acme.example/a", "takes its host from a contact's value"),
        ("https://acme.example{{ contact.x }}", "takes its host from a contact's value"),
    ],
)
@pytest.mark.parametrize("element", ["a href", "img src", "td background", "img srcset", "p style"])
def test_addresses_are_https_with_a_host_of_their_own(element: str, address: str, problem: str) -> None:
    name, _, attribute = element.partition(" ")
    value = f"a: url({address})" if attribute == "style" else address
    close = "</a>" if name == "a" else ""
    found = problems(f'<{name} {attribute}="{value}">x{close}')
    expected = f"the address in `<{element}>` {problem}"
    if element != "img srcset" or address:
        assert expected in found


def test_every_problem_is_found_once_with_what_is_allowed() -> None:
    text = "<p onclick=x><a href='http://{{ contact.x }}'>x</a><img src=http:x><img src=http:x>"
    text += "{% if contact.y %}<p onclick=x>{% endif %}</b>"
    findings = check_html(text, PATH)
    assert [(found.message, found.value, found.limit) for found in findings] == [
        ("`<p onclick>` is not allowed: it runs a script", None, None),
        ("the address in `<a href>` is `http:`", "http://{{…}}", "https, mailto:, tel:, cid:, #anchor"),
        ("the address in `<img src>` is `http:`", "http:x", "https, mailto:, tel:, cid:, #anchor"),
        ("`</b>` closes nothing", None, None),
    ]


def test_what_an_author_writes_never_stands_for_a_value() -> None:
    assert check_html("<hr \ufdd0>", PATH)
    assert check_html('<a href="https://acme.example/\ufdd0">x</a>', PATH) == ()


@pytest.mark.parametrize(
    "text",
    [
        "<" * 60_000,
        "<a " * 20_000,
        "<!--" * 15_000,
        '<a b="' * 10_000,
        "<b>" * 20_000,
        "<li>" * 15_000,
        "<p><span>" * 6_000 + "<div>",
        "{% if contact.x %}<b>{% endif %}" * 1_000,
        '<a title="' + "{% if contact.x %}a{% endif %}" * 1_000,
        "<style>" + "{% if contact.x %}a{% endif %}" * 1_000,
        "<!-- " + "{% if contact.x %}a{% endif %}" * 1_000,
        "<p style='" + "\\" * 60_000 + "'>",
        "<p style='" + "url(" * 15_000 + "'>",
        "<p " + "a " * 30_000,
        "&" * 60_000,
    ],
)
def test_hostile_html_is_judged_in_a_second(text: str) -> None:
    began = time.process_time()
    check_html(text, PATH)
    assert time.process_time() - began < 1
