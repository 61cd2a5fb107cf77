"use strict";
// Checks what stands behind the address in the QR code of an excerpt, without any network: base32 (RFC 4648), CBOR
// (RFC 8949), COSE_Sign1 (RFC 9052) with ES256, over the address as external data. docs/offline.md says the same in words.

function base32(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", out = [];
  let bits = 0, held = 0;
  for (const letter of text) {
    const n = letters.indexOf(letter);
    if (n < 0) throw new Error("form");
    held = held << 5 | n;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  if (held !== 0 || bits >= 5) throw new Error("form");
  return Uint8Array.from(out);
}

// cbor reads one value: numbers, strings of bytes and of text, arrays, maps (as Map), tags. Nothing else is ours.
function cbor(bytes) {
  let at = 0;
  const take = (n) => {
    if (n > bytes.length - at) throw new Error("form");
    at += n;
    return bytes.subarray(at - n, at);
  };
  const value = (depth) => {
    if (depth > 4) throw new Error("form");
    const first = take(1)[0], major = first >> 5, info = first & 31;
    if (info > 27) throw new Error("form");
    let n = info;
    if (info >= 24) {
      n = 0;
      for (const b of take(1 << info - 24)) n = n * 256 + b;
    }
    if (!Number.isSafeInteger(n)) throw new Error("form");
    switch (major) {
      case 0: return n;
      case 1: return -1 - n;
      case 2: return take(n);
      case 3: return new TextDecoder("utf-8", { fatal: true }).decode(take(n));
      case 4: {
        const items = [];
        for (let i = 0; i < n; i++) items.push(value(depth + 1));
        return items;
      }
      case 5: {
        const pairs = new Map();
        for (let i = 0; i < n; i++) {
          const key = value(depth + 1);
          if (pairs.has(key)) throw new Error("form");
          pairs.set(key, value(depth + 1));
        }
        return pairs;
      }
      case 6: return { tag: n, value: value(depth + 1) };
    }
    throw new Error("form");
  };
  const v = value(0);
  if (at !== bytes.length) throw new Error("form");
  return v;
}

// head is the beginning of a value in CBOR; no value of ours is longer than 65535.
const head = (major, n) => n < 24 ? [major << 5 | n] : n < 256 ? [major << 5 | 24, n] : [major << 5 | 25, n >> 8, n & 255];
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const day = (t) => t.toISOString().slice(0, 10).split("-").reverse().join(".");

// check says of the text of a QR code whether it is genuine, as of when, and what it states; or which sentence says why not.
async function check(text, signers) {
  const [address, fragment] = text.trim().split("#");
  if (!fragment || !address.includes("/v/") || text.length > 4296) return { problem: "none" };
  let brief, signer, signature, signed;
  try {
    const message = cbor(base32(fragment));
    if (message.tag !== 18 || !Array.isArray(message.value) || message.value.length !== 4) throw new Error("form");
    const [header, unprotected, payload, sig] = message.value;
    const fields = cbor(header);
    if (fields.get(1) !== -7 || fields.size !== 2 || unprotected.size !== 0 || sig.length !== 64) throw new Error("form");
    brief = cbor(payload);
    for (const [key, type] of [[1, "string"], [2, "string"], [3, "string"], [4, "string"], [5, "number"], [6, "number"]])
      if (typeof brief.get(key) !== type) throw new Error("form");
    if (brief.size !== 7 || brief.get(7).length !== 32) throw new Error("form");
    const site = new TextEncoder().encode(address), name = new TextEncoder().encode("Signature1");
    signed = Uint8Array.from([...head(4, 4), ...head(3, name.length), ...name, ...head(2, header.length), ...header,
      ...head(2, site.length), ...site, ...head(2, payload.length), ...payload]);
    signature = sig;
    const id = hex(fields.get(4)), at = brief.get(5) * 1000;
    signer = signers.find((s) => s.id === id && at <= Date.parse(s.to));
  } catch {
    return { problem: "form" };
  }
  if (!signer) return { problem: "stranger" };
  const key = await crypto.subtle.importKey("spki", Uint8Array.from(atob(signer.spki), (c) => c.charCodeAt(0)),
    { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  if (!await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, signed)) return { problem: "signature" };
  const baku = new Date((brief.get(5) + 4 * 3600) * 1000); // UTC+4 all year
  const code = address.slice(address.lastIndexOf("/v/") + 3);
  return {
    asOf: day(baku), kind: brief.get(1), number: brief.get(2), person: brief.get(3) + " ••••" + brief.get(4),
    validUntil: day(new Date(brief.get(6) * 86400000)), code: code.match(/.{1,4}/g).join("-"), address, signer: signer.name,
  };
}

if (typeof document !== "undefined") {
  const data = JSON.parse(document.getElementById("check").dataset.check);
  const text = document.getElementById("text"), answer = document.getElementById("answer");
  const show = async (event) => {
    event.preventDefault();
    answer.replaceChildren();
    const say = (tag, words, parent = answer) => parent.appendChild(Object.assign(document.createElement(tag), { textContent: words }));
    let result;
    try {
      result = await check(text.value, data.signers);
    } catch {
      result = { problem: "browser" };
    }
    answer.className = result.problem ? "bad" : "good";
    if (result.problem) {
      say("h2", data.words.refused);
      say("p", data.words[result.problem]);
    } else {
      say("h2", data.words.genuine.replace("{day}", result.asOf));
      say("p", data.words.compare);
      const facts = say("dl", "");
      for (const [label, value] of [["kind", data.kinds[result.kind] || result.kind], ["number", result.number], ["person", result.person],
        ["until", result.validUntil], ["code", result.code], ["address", result.address], ["signer", result.signer]]) {
        say("dt", data.words[label], facts);
        say("dd", value, facts);
      }
      say("p", data.words.today);
    }
    answer.focus();
  };
  document.getElementById("check").addEventListener("submit", show);
}
