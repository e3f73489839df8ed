"""Domains that are a big mailbox provider's name, mistyped.

None of them is a provider's own: endings that do not exist (`gmail.con`), endings of other countries under which the
provider has no mailboxes, and slips of the finger on a French or an English keyboard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SLIPS = {
    "gmail.com": "gmail.con gmail.cm gmail.cmo gmail.comm gmail.ocm gmail.vom gmail.xom gmail.cpm gmail.om gmail.co "
    "gmail.fr gmial.com gmal.com gmali.com gamil.com gmaill.com gmil.com gmaul.com gmai.com gnail.com gmqil.com "
    "ggmail.com gmeil.com gmsil.com gmial.fr gamil.fr",
    "hotmail.com": "hotmail.con hotmail.cm hotmail.cmo hotmail.comm hotmail.ocm hotmail.vom hotmail.xom hotmail.om "
    "hotmail.co hotmial.com hotmal.com hotmai.com hotmil.com hotamil.com hotmaill.com hotmqil.com hotnail.com "
    "hormail.com hoymail.com htmail.com hotmali.com hotmaul.com hotmeil.com",
    "hotmail.fr": "hotmail.f hotmail.frr hotmail.ft hotmail.rf hotmail.fe hotmial.fr hotmal.fr hotmai.fr hotmil.fr "
    "hotamil.fr hotmaill.fr hotmqil.fr hotnail.fr hormail.fr hoymail.fr htmail.fr hotmali.fr",
    "icloud.com": "icloud.con icloud.cm icloud.cmo icloud.comm icloud.ocm icloud.vom icloud.xom icloud.om icloud.co "
    "iclod.com icoud.com iclou.com icluod.com icolud.com ilcoud.com iclould.com",
    "free.fr": "free.f free.frr free.ft free.rf free.fe",
    "laposte.net": "laposte.ner laposte.nett laposte.met laposte.bet laposte.nt laposte.ent laposte.con lapost.net "
    "lapsote.net laoste.net lapote.net",
    "live.fr": "live.f live.frr live.ft live.rf live.fe",
    "orange.fr": "orange.f orange.frr orange.ft orange.rf orange.fe ornage.fr orang.fr orenge.fr orannge.fr oragne.fr "
    "ornge.fr oranfe.fr orangee.fr organge.fr",
    "outlook.com": "outlook.con outlook.cm outlook.cmo outlook.comm outlook.ocm outlook.vom outlook.xom outlook.om "
    "outlook.co outlok.com outloo.com outook.com oulook.com outllook.com oultook.com outlouk.com outloook.com",
    "outlook.fr": "outlook.f outlook.frr outlook.ft outlook.rf outlook.fe outlok.fr outloo.fr outook.fr oulook.fr "
    "outllook.fr oultook.fr outlouk.fr outloook.fr",
    "sfr.fr": "sfr.f sfr.frr sfr.ft sfr.rf sfr.fe",
    "wanadoo.fr": "wanadoo.f wanadoo.frr wanadoo.ft wanadoo.rf wanadoo.fe wanadoo.ff wanado.fr wandoo.fr wanadou.fr "
    "wannadoo.fr wanadooo.fr wanaddo.fr wanaoo.fr",
    "yahoo.com": "yahoo.con yahoo.cm yahoo.cmo yahoo.comm yahoo.ocm yahoo.vom yahoo.xom yahoo.om yaho.com yahooo.com "
    "yhoo.com yaoo.com yahho.com yhaoo.com yahou.com",
    "yahoo.fr": "yahoo.f yahoo.frr yahoo.ft yahoo.rf yahoo.fe yaho.fr yahooo.fr yhoo.fr yaoo.fr yahho.fr yhaoo.fr "
    "yahou.fr",
}

MISSPELLED: Mapping[str, str] = {slip: meant for meant, slips in _SLIPS.items() for slip in slips.split()}
"""Each mistyped domain, and the one that was meant."""
