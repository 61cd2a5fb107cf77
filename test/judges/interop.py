"""Lays excerpts before judges that others wrote. usage: interop.py FOLDER CACHE CHECKPDF NSS

FOLDER holds *.pdf and roots.pem as `specimens` and the demo write them; CACHE is what prepare.sh printed; NSS is a store that trusts the roots. Every
judge must find every file good; prints who judged what, and fails with what any of them said otherwise.
"""

import collections
import datetime
import json
import pathlib
import subprocess
import sys

folder, cache, checkpdf, nss = map(pathlib.Path, sys.argv[1:5])
files = sorted(folder.glob("*.pdf"))
roots = folder / "roots.pem"
wrong, judged = [], collections.defaultdict(dict)


def ask(judge, command, names):
    p = subprocess.run([str(c) for c in command], input="\n".join(map(str, names)) + "\n", capture_output=True, text=True)
    rows = {}
    for line in p.stdout.splitlines():
        row = json.loads(line)
        rows[pathlib.Path(row["file"]).name] = row
    for f in names:
        if f.name not in rows:
            wrong.append(f"{f.name}: {judge} says nothing: {p.stderr[-500:]}")
    return rows


def note(f, judge, good, said):
    judged[f.name][judge] = "yes" if good else "NO"
    if not good:
        wrong.append(f"{f.name}: {judge}: {said}")


def level(row):
    return row.get("level", "")


java = ["java", "-Xmx1g", "-cp", f"{cache / 'java/classes'}:{(cache / 'java/classpath').read_text().strip()}", "Judge"]
python = [cache / "python/bin/python", pathlib.Path(__file__).parent / "hanko.py"]

ours = {}
p = subprocess.run([str(checkpdf), "-json", "-roots", str(roots), *map(str, files)], capture_output=True, text=True)
for line in p.stdout.splitlines():
    row = json.loads(line)
    ours[pathlib.Path(row["file"]).name] = row
for f in files:
    row = ours.get(f.name, {})
    note(f, "checkpdf", row.get("integrity") == "intact" and row.get("indication") == "TOTAL-PASSED", row)

archived = [f for f in files if level(ours.get(f.name, {})) == "B-LTA"]
stamped = [f for f in files if f not in archived]
# A signer's certificate of the demo lasts two years, its time-stamp certificates five.
later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=800)).strftime("%Y-%m-%dT%H:%M:%SZ")

for f in files:
    for judge, command in (("qpdf", ["qpdf", "--check", f]), ("mutool", ["mutool", "info", f])):
        p = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        note(f, judge, p.returncode == 0 and "warning" not in p.stderr.lower(), p.stdout[-400:] + p.stderr[-400:])
    p = subprocess.run(["pdfsig", "-no-ocsp", "-nssdir", str(nss), str(f)], capture_output=True, text=True)
    # It would ask the address in the certificate, which is nobody's, whether it is revoked.
    # "Valid" counts only together with "Total document signed"; where a time stamp follows, that is the stamp's to say, and poppler
    # does not judge document time stamps.
    words = ["Signature is Valid", "Certificate is Trusted"] + (["Total document signed"] if f in stamped else [])
    note(f, "pdfsig", all(w in p.stdout for w in words), p.stdout[:900] + p.stderr[-300:])

for f, row in ((f, r) for rows in [ask("pyHanko", [*python, roots], files)] for f in files for r in [rows.get(f.name)] if r):
    note(f, "pyHanko", row["accepted"], row)
for when, moment in (("now", "now"), ("later", later)):
    rows = ask("pyHanko -ltv", [*python, roots, moment, "-ltv"], archived)
    for f in archived:
        if f.name in rows:
            note(f, f"pyHanko B-LTA {when}", rows[f.name]["accepted"], rows[f.name])
    rows = ask("EU DSS", [*java, "dss", roots, moment, "need-revocation"], archived)
    for f in archived:
        if f.name in rows:
            row = rows[f.name]
            note(f, f"DSS B-LTA {when}", row["accepted"] and [s["level"] for s in row["signatures"]] == ["PAdES-BASELINE-LTA"], row)
# A B-T file holds no word on revocation, so nobody can be asked for one.
rows = ask("EU DSS", [*java, "dss", roots, "now", "no-revocation"], stamped)
for f in stamped:
    if f.name in rows:
        row = rows[f.name]
        note(f, "DSS B-T", row["accepted"] and [s["level"] for s in row["signatures"]] == ["PAdES-BASELINE-T"], row)

flavours = collections.Counter()
rows = ask("veraPDF", [*java, "verapdf"], files)
for f in files:
    row = rows.get(f.name)
    if not row:
        continue
    if "error" in row:
        wrong.append(f"{f.name}: veraPDF: {row['error']}")
    claimed = {x["flavour"] for x in row["flavours"]}
    for want in ("3a", "ua1"):
        if want not in claimed:
            wrong.append(f"{f.name}: does not claim PDF/{'A-3a' if want == '3a' else 'UA-1'}, so veraPDF cannot judge it")
    for x in row["flavours"]:
        flavours[x["flavour"]] += 1
        note(f, f"veraPDF {x['flavour']}", x["compliant"], x["failures"][:8])

judges = list(dict.fromkeys(j for row in judged.values() for j in row))
print(f"{len(files)} excerpts ({len(stamped)} B-T, {len(archived)} B-LTA); later is {later}, after the signer's certificate")
for j in judges:
    answers = [row[j] for row in judged.values() if j in row]
    print(f"  {j:22} judged {len(answers):3}, good {answers.count('yes'):3}")
if not files or not archived:
    wrong.append("there was no archived file to judge")
for line in wrong[:40]:
    print(line, file=sys.stderr)
if len(wrong) > 40:
    print(f"and {len(wrong) - 40} more", file=sys.stderr)
sys.exit(1 if wrong else 0)
