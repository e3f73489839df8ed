from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from octoplan.sandbox import casts
from octoplan.sandbox.octopush.order import Order
from octoplan.sandbox.octopush.placeholders import expanded
from octoplan.sandbox.switches import Settings

LITERAL = st.text(st.characters(exclude_characters="{}", codec="utf-8"), max_size=10)
VALUE = st.text(st.sampled_from("ab{}_1firstnamepr"), min_size=1, max_size=50)
NAMES = st.sampled_from(casts.PLACEHOLDERS)


@given(
    st.lists(st.tuples(LITERAL, NAMES), min_size=1, max_size=8),
    st.lists(st.dictionaries(NAMES, VALUE), min_size=1, max_size=4),
)
def test_every_contact_gets_the_literals_and_their_own_values(
    pieces: list[tuple[str, str]], people: list[dict[str, str]]
) -> None:
    order = Order(
        channel="sms",
        text="".join(f"{literal}{{{name}}}" for literal, name in pieces),
        content={},
        addresses=["+33639980012"] * len(people),
        sender="ACME",
        marketing=False,
        remove_blacklisted=False,
        simulated=False,
        send_at=None,
        list_name=None,
        request_id=None,
        optimised=False,
        values=people,
    )
    assert expanded(order, Settings({})) == [
        "".join(literal + values.get(name, "") for literal, name in pieces) for values in people
    ]
