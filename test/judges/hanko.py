"""pyHanko as a judge. usage: hanko.py ROOTS.pem [TIME | now] [-ltv] <files

Strict reader, its default policy over what later revisions changed, no network. Prints one line of JSON a file. Accepted: every
signature and document time stamp is intact, trusted, and followed by nothing that it does not allow. With -ltv: by the validation
data in the file alone, at the given time, as EN 319 102-1 clause 5.6.3 wants it; every certificate must be shown not revoked.
"""

import asyncio
import datetime
import io
import json
import logging
import sys

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.ades import ades_lta_validation, simulate_future_ades_lta_validation
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, RevinfoOnlineFetchingRule, RevocationInfoGatheringSpec, SignatureValidationSpec
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

logging.disable(logging.CRITICAL)


def long_term(signature, roots, at):
    policy = CertValidationPolicySpec(SimpleTrustManager.build(trust_roots=roots), CertRevTrustPolicy(REQUIRE_REVINFO))
    spec = PdfSignatureValidationSpec(SignatureValidationSpec(
        cert_validation_policy=policy, revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY)))
    if at:
        # What pyHanko has for this question: does the file hold all that it takes, if somebody goes on renewing its time stamps?
        result = asyncio.run(simulate_future_ades_lta_validation(signature, spec, at))
    else:
        now = datetime.datetime.now(datetime.timezone.utc)
        timing = ValidationTimingInfo(validation_time=now, best_signature_time=now, point_in_time_validation=True)
        result = asyncio.run(ades_lta_validation(signature, spec, timing))
    stamped = result.oldest_evidence_record_timestamp
    return {"field": signature.field_name, "accepted": result.ades_subindic.status.name == "PASSED", "indication": str(result.ades_subindic),
            "why": result.failure_msg or "", "oldest_stamp": stamped.isoformat() if stamped else ""}


def judge(path, roots, at, ltv):
    row = {"file": path.rsplit("/", 1)[-1], "accepted": False, "signatures": []}
    try:
        with open(path, "rb") as f:
            reader = PdfFileReader(io.BytesIO(f.read()), strict=True)
        found = reader.embedded_signatures
        plain = [s for s in found if s.sig_object.get("/Type") != "/DocTimeStamp"]
        for s in found:
            context = ValidationContext(trust_roots=roots, moment=at, allow_fetching=False, revocation_mode="soft-fail")
            stamp = s not in plain
            if ltv and stamp and plain:
                continue  # judged as part of the chain of the signatures that it covers
            if ltv and not stamp:
                row["signatures"].append(long_term(s, roots, at))
                continue
            elif stamp:
                status = validate_pdf_timestamp(s, context)
                row["signatures"].append({"field": s.field_name, "accepted": bool(status.valid and status.intact and status.trusted),
                                          "coverage": status.coverage.name, "changes": status.modification_level.name if status.modification_level else None})
                continue
            else:
                status = validate_pdf_signature(s, context, context)
            row["signatures"].append({
                "field": s.field_name, "accepted": bool(status.bottom_line), "valid": status.valid, "intact": status.intact, "trusted": status.trusted,
                "coverage": status.coverage.name, "changes": status.modification_level.name if status.modification_level else None,
                "summary": status.summary()})
        row["accepted"] = bool(row["signatures"]) and all(s["accepted"] for s in row["signatures"])
    except Exception as e:
        row["error"] = f"{type(e).__name__}: {e}"[:300]
    return row


def main():
    arguments = [a for a in sys.argv[1:] if a != "-ltv"]
    roots = list(load_certs_from_pemder([arguments[0]]))
    at = None
    if len(arguments) > 1 and arguments[1] != "now":
        at = datetime.datetime.fromisoformat(arguments[1].replace("Z", "+00:00"))
    for line in sys.stdin:
        print(json.dumps(judge(line.rstrip("\n"), roots, at, "-ltv" in sys.argv)), flush=True)


if __name__ == "__main__":
    main()
