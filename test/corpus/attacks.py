"""Makes attack files from published descriptions over files of the benign corpus. usage: attacks.py CORPUS

CORPUS holds benign/ and pki/ as benign.py left them; attacks/ with its manifest.json is written beside them.

Sources of the descriptions: "1 Trillion Dollar Refund" (CCS 2019: universal forgery, incremental saving, signature wrapping),
"Shadow Attacks" (NDSS 2021), "Breaking the Specification: PDF Certification" (S&P 2021: evil annotation, sneaky signature), RFC 5652,
RFC 5035 and ISO 32000-2 clause 12.8. What counts as an attack: what is seen or meant has changed since the signature, or the
signature is not the named signer's. "judged": integrity (the bytes are as signed, by anybody) or trust (by a signer under our roots).
"""

import json
import subprocess
import sys

from attack_entries import Entries
from attack_forms import Forms
from attack_shadow import Shadow
from attack_structure import Structure
from attack_trust import Trust
from attack_updates import Updates
from attackmaker import Maker


class Attacks(Updates, Forms, Structure, Shadow, Entries, Trust, Maker):
    """All families over one corpus."""


def text_of(path):
    p = subprocess.run(["pdftotext", path, "-"], capture_output=True)
    return p.stdout if p.returncode == 0 else None


def main():
    m = Attacks(sys.argv[1])
    for make in (m.incremental, m.disguised, m.forms, m.structure, m.notes, m.shadow, m.wrapping, m.entries, m.trust, m.ends):
        make()
    for r in m.rows:
        if r["from"] != "made":
            r["text_changed"] = text_of(m.out / r["file"]) != text_of(m.corpus / "benign" / r["from"])
    (m.out / "manifest.json").write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in m.rows) + "\n]\n")
    for line in m.failed:
        print("left out " + line, file=sys.stderr)
    kinds = {r["attack"] for r in m.rows}
    print(f"{len(m.rows)} attack files of {len(kinds)} kinds; in {sum(1 for r in m.rows if r.get('text_changed'))} poppler shows another text or none")
    sys.exit(0 if len(m.rows) >= 120 else 1)


if __name__ == "__main__":
    main()
