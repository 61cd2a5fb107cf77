"""Lays the corpus before us, pdfsig, pyHanko and EU DSS, and prints one table. usage: table.py CORPUS CACHE CHECKPDF [ANSWERS]

CORPUS is what test/corpus/make.sh made, CACHE what prepare.sh printed. ANSWERS keeps what the judges said between runs: only
files whose bytes are new are judged again by the others. Every difference from what is true must have a line with its
reason in differences.tsv beside this file (own.tsv for the files that our tests make, which say as of when they are to be judged in
CORPUS/at); else it is listed and the run fails. So it does if we accept an attack.

accepted means:
  ours      integrity intact or extended; for files judged by trust TOTAL-PASSED under the corpus's root
  pdfsig    every signature "Valid" ("Trusted" too where trust is judged), and the last one covers the whole file
  pyHanko   strict reader; every signature and document time stamp valid and trusted, later changes allowed by its default policy
  EU DSS    every signature (or lone document time stamp) TOTAL-PASSED by its default policy, revocation data not required
"""

import collections
import concurrent.futures
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile

corpus, cache, checkpdf = map(pathlib.Path, sys.argv[1:4])
answers_file = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
here = pathlib.Path(__file__).parent
roots = corpus / "roots.pem"
JUDGES = ["ours", "pdfsig", "pyHanko", "EU DSS"]

# A corpus of one moment is judged as of that moment, and not by pdfsig, which knows no time but now.
at = (corpus / "at").read_text().strip() if (corpus / "at").exists() else "now"
if at != "now":
    JUDGES.remove("pdfsig")

rows = []
for kind in ("benign", "attacks"):
    for r in json.loads((corpus / kind / "manifest.json").read_text()):
        rows.append({**r, "kind": kind, "path": corpus / kind / r["file"], "name": r.get("attack", pathlib.Path(r["file"]).stem)})


def ask_ours(todo):
    out = {}
    for judged in ("integrity", "trust"):
        paths = [r["path"] for r in todo if r.get("judged", "integrity") == judged]
        options = ["-integrity"] if judged == "integrity" else ["-roots", str(roots)] + (["-at", at] if at != "now" else [])
        if not paths:
            continue
        p = subprocess.run([str(checkpdf), "-json", *options, *map(str, paths)], capture_output=True, text=True)
        for path, line in zip(paths, p.stdout.splitlines(), strict=True):
            a = json.loads(line)
            out[path] = (a["integrity"] in ("intact", "extended") if judged == "integrity" else a["indication"] == "TOTAL-PASSED", f"{a['integrity']} {a['indication']} {a['sub_indication']}")
    return out


def ask_pdfsig(todo):
    with tempfile.TemporaryDirectory() as nss:
        subprocess.run(["certutil", "-N", "-d", nss, "--empty-password"], check=True)
        subprocess.run(["certutil", "-A", "-d", nss, "-n", "root", "-t", "C,C,C", "-a", "-i", str(roots)], check=True)

        def one(r):
            try:
                p = subprocess.run(["pdfsig", "-no-ocsp", "-nssdir", nss, str(r["path"])], capture_output=True, text=True, errors="replace", timeout=60)
            except subprocess.TimeoutExpired:
                return r["path"], (False, "no answer in a minute")
            parts = re.split(r"Signature #\d+:", p.stdout)[1:]
            plain = [s for s in parts if "Signature Type: unknown" not in s]  # it knows no document time stamps
            good = bool(plain) and all("Signature Validation: Signature is Valid." in s for s in plain) and "Total document signed" in parts[-1] and "Not total" not in parts[-1]
            if r.get("judged") == "trust":
                good = good and all("Certificate is Trusted" in s for s in plain)
            words = re.findall(r"Signature is [A-Za-z ]+|Certificate [A-Za-z' ]*Trusted|[A-Za-z ]*otal document signed|has not yet been verified", p.stdout)
            return r["path"], (good, " / ".join(words) or p.stderr[:80])

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return dict(pool.map(one, todo))


def ask_lines(command, todo, say):
    p = subprocess.run([str(c) for c in command], input="".join(f"{r['path']}\n" for r in todo), capture_output=True, text=True)
    lines = p.stdout.splitlines()
    if len(lines) != len(todo):
        raise SystemExit(f"{command[0]} answered {len(lines)} of {len(todo)}: {p.stderr[-800:]}")
    return {r["path"]: (a["accepted"], say(a)) for r, a in ((r, json.loads(line)) for r, line in zip(todo, lines))}


def ask_pyhanko(todo):
    return ask_lines([cache / "python/bin/python", here / "hanko.py", roots, at], todo, lambda a: a.get("error") or "; ".join(s.get("summary", s.get("coverage", "")) for s in a["signatures"]))


def ask_dss(todo):
    java = ["java", "-Xmx1g", "-cp", f"{cache / 'java/classes'}:{(cache / 'java/classpath').read_text().strip()}", "Judge", "dss", roots, at, "no-revocation"]
    return ask_lines(java, todo, lambda a: a.get("error") or "; ".join(f"{s['indication']} {s['sub_indication']} {' '.join(s['errors'][:2] or s['warnings'][:1])}" for s in a["signatures"]))


known = json.loads(answers_file.read_text()) if answers_file and answers_file.exists() else {}
said = {}
for judge, ask in (("ours", ask_ours), ("pdfsig", ask_pdfsig), ("pyHanko", ask_pyhanko), ("EU DSS", ask_dss)):
    if judge not in JUDGES:
        continue
    todo = [r for r in rows if judge == "ours" or f"{judge} {r['sha256']}" not in known]
    fresh = ask(todo) if todo else {}
    for r in rows:
        key = f"{judge} {r['sha256']}"
        if r["path"] in fresh:
            known[key] = fresh[r["path"]]
        said[judge, r["path"]] = known[key]
    if answers_file:
        answers_file.write_text(json.dumps({k: v for k, v in known.items() if not k.startswith("ours ")}, ensure_ascii=False))

table = here / ("differences.tsv" if at == "now" else "own.tsv")
reasons = []
for number, line in enumerate(table.read_text().splitlines(), 1):
    if line and not line.startswith("#"):
        parts = line.split("\t")
        if len(parts) != 4:
            raise SystemExit(f"{table.name}:{number}: not four columns")
        reasons.append({"judge": parts[0], "kind": parts[1], "globs": parts[2].split(), "reason": parts[3], "used": 0})

counts, unexplained = collections.Counter(), []
for r in rows:
    for judge in JUDGES:
        good, why = said[judge, r["path"]]
        counts[judge, r["kind"], good] += 1
        if good == (r["kind"] == "benign"):
            continue
        stem = pathlib.Path(r["file"]).stem
        for x in reasons:
            if x["judge"] == judge and x["kind"] == r["kind"] and any(re.search(g[1:], why) if g.startswith("~") else fnmatch.fnmatch(stem, g) or fnmatch.fnmatch(r["name"], g) for g in x["globs"]):
                x["used"] += 1
                break
        else:
            unexplained.append(f"{judge}: {r['kind']} {r['file']}: {r.get('changed', r.get('options'))}: {why}")

n = collections.Counter(r["kind"] for r in rows)
print(f"{'judge':10} {'benign accepted':>18} {'attacks accepted':>18}")
for judge in JUDGES:
    print(f"{judge:10} {counts[judge, 'benign', True]:8} of {n['benign']:3} {counts[judge, 'benign', True] * 100 / n['benign']:4.1f} % {counts[judge, 'attacks', True]:8} of {n['attacks']:3} {counts[judge, 'attacks', True] * 100 / n['attacks']:4.1f} %")
print(f"differences by reason ({table.name}):")
for x in reasons:
    print(f"  {x['used']:4} {x['judge']:8} {x['kind']:8} {x['reason']}")
for line in unexplained:
    print("unexplained:", line[:300])
# The corpus differs each time it is made; our own files do not.
stale = [] if at == "now" else [x for x in reasons if not x["used"]]
for x in stale:
    print(f"explains nothing any more: {x['judge']} {x['kind']} {' '.join(x['globs'])}")
print(f"{len(unexplained)} unexplained differences")
sys.exit(1 if unexplained or stale or counts["ours", "attacks", True] else 0)
