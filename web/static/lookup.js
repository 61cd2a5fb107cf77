// The proof of work of /lookup: instead of a riddle for the person, a few seconds of work for the browser. Without this script, or where
// the browser cannot do it, the form works as well: the answer then goes to the person's own telephone.
'use strict';
(() => {
  const form = document.getElementById('lookup'), status = document.getElementById('lookup-status'), subtle = window.crypto?.subtle;
  if (!form || !subtle) return;
  const bytes = new TextEncoder();

  // The puzzle: 16 bytes id, parts, rounds (4), bits, until (8), signature (32); see casework/tseras/lookup/proof.go.
  async function solve(text, step) {
    const raw = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const view = new DataView(raw.buffer), parts = raw[16], rounds = view.getUint32(17), bits = raw[21];
    const key = await subtle.importKey('raw', bytes.encode(text), 'PBKDF2', false, ['deriveBits']);
    const numbers = [];
    for (let part = 0; part < parts; part++) {
      for (let n = 0; ; n++) {
        const hash = await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes.encode(`${part}:${n}`), iterations: rounds }, key, 256);
        if (Math.clz32(new DataView(hash).getUint32(0)) >= bits) {
          numbers.push(n);
          break;
        }
      }
      step(part + 1, parts);
    }
    return numbers.join('.');
  }

  let work, sending = false, done = 0;
  const say = (text) => { if (status.textContent !== text) status.textContent = text; };
  const begin = () => {
    work ??= solve(form.dataset.puzzle, (n, all) => { done = Math.floor(100 * n / all); if (sending) say(`${form.dataset.wait} ${done}%`); })
      .catch(() => ''); // without a proof the answer goes to the telephone
    return work;
  };
  // While the person types, so that he seldom waits.
  form.addEventListener('focusin', begin, { once: true });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    form.querySelector('button').setAttribute('aria-disabled', 'true');
    say(`${form.dataset.wait} ${done}%`);
    const numbers = await begin();
    say(form.dataset.ready);
    if (numbers) {
      for (const [name, value] of [['puzzle', form.dataset.puzzle], ['numbers', numbers]]) {
        const field = document.createElement('input');
        Object.assign(field, { type: 'hidden', name, value });
        form.append(field);
      }
    }
    form.submit();
  });
  // A page that comes back out of the browser's memory has a puzzle that was used.
  window.addEventListener('pageshow', (event) => { if (event.persisted) window.location.reload(); });
})();
