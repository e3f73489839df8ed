"""The catalogue of rules: every finding names one of these.

A rule's severity is what it is by default; the few rules that change theirs with the situation
(`encoding`, `phone`, `send-at-past`, `simulation-differs`) say so where they are checked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from octoplan.core.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from octoplan.core.model import FindingFields

ERROR, LIMIT, WARNING, INFO = Severity.ERROR, Severity.LIMIT, Severity.WARNING, Severity.INFO

RULES: dict[str, Severity] = {
    # files
    "file": ERROR,
    "yaml": ERROR,
    "duplicate-key": ERROR,
    "unknown-key": ERROR,
    "reserved-key": ERROR,
    "missing-key": ERROR,
    "wrong-type": ERROR,
    "wrong-value": ERROR,
    "id-duplicate": ERROR,
    "limit-loosened": ERROR,
    "secret": ERROR,
    "allow": ERROR,
    "purpose-missing": ERROR,
    "source": ERROR,
    "send-at": ERROR,
    "send-at-past": ERROR,
    # templates
    "template-syntax": ERROR,
    "template-name": ERROR,
    "template-operator": ERROR,
    "template-filter": ERROR,
    "template-call": ERROR,
    "template-loop": ERROR,
    "template-size": ERROR,
    # texts
    "text-length": ERROR,
    "text-control": ERROR,
    "text-invisible": ERROR,
    "text-leftover": ERROR,
    "text-placeholder": WARNING,
    "encoding": ERROR,
    "stop-missing": ERROR,
    "stop-number": ERROR,
    # senders and options
    "sender-shape": ERROR,
    "sender-unknown": LIMIT,
    "sender-with-replies": ERROR,
    "low-cost-options": ERROR,
    "marketing-as-transactional": WARNING,
    "locale": INFO,
    # voice
    "voice-source": ERROR,
    "audio": ERROR,
    "keys": ERROR,
    "voice-language": ERROR,
    "voice-gender": ERROR,
    "voice-attempts": LIMIT,
    "caller-id": ERROR,
    "keys-nowhere": WARNING,
    "voice-purpose": INFO,
    "read-aloud": WARNING,
    # rcs
    "rcs-limits": ERROR,
    "rcs-shape": ERROR,
    # e-mail
    "subject": ERROR,
    "email-address": ERROR,
    "email-body": ERROR,
    "email-service": ERROR,
    # audience
    "value-missing": ERROR,
    "where": ERROR,
    "audience-empty": LIMIT,
    "audience-size": LIMIT,
    "audience-change": LIMIT,
    "audience-invalid": LIMIT,
    "contact-values-differ": INFO,
    "other-address": WARNING,
    "provider-held": WARNING,
    "ledger-without-history": WARNING,
    "phone": ERROR,
    "fixed-line": WARNING,
    "fiction-number": ERROR,
    "country": LIMIT,
    "number-type": ERROR,
    # money
    "price-missing": ERROR,
    "sample-prices": ERROR,
    "cost-limit": LIMIT,
    "parts-limit": LIMIT,
    "contacts-limit": LIMIT,
    "unit-price": LIMIT,
    "currency-limit": ERROR,
    "balance": LIMIT,
    "contact-cap": LIMIT,
    # the wire
    "wire-contract": ERROR,
    "public-shortener": WARNING,
    "merge-value": INFO,
    "merge-text": INFO,
    "url": ERROR,
    "hours": LIMIT,
    "hours-country": WARNING,
    "simulation-differs": INFO,
    "simulation-refused": ERROR,
    "edited-after-send": INFO,
    # campaigns of one plan, and what was sent before
    "near-duplicate": WARNING,
    "excluded-in-plan": WARNING,
}


def finding(rule: str, message: str, **fields: Unpack[FindingFields]) -> Finding:
    """Make a finding of a catalogued rule; `severity` overrides the catalogue's."""
    return replace(Finding(rule=rule, severity=RULES[rule], message=message), **fields)


def accept(findings: Iterable[Finding], allow: Mapping[str, str]) -> tuple[Finding, ...]:
    """Turn limits and warnings accepted in review into infos that quote the reason."""
    return tuple(
        replace(found, severity=INFO, message=f"{found.message} (accepted: {allow[found.rule]})")
        if found.rule in allow and found.severity in (LIMIT, WARNING)
        else found
        for found in findings
    )


def blocks(findings: Iterable[Finding]) -> bool:
    """Tell whether anything but infos is left."""
    return any(found.severity is not INFO for found in findings)
