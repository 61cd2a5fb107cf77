// What tests of assessments need besides: the polyclinic's signed referrals, who was drawn, and the demonstration's clock.
import assert from 'node:assert/strict';
import { X509Certificate, createHash, createPrivateKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { request } from 'playwright-core';
import { send, until } from './harness.mjs';

// subjects are people of the demonstration as an institution knows them.
export const subjects = {
  nermin: { subject: '5NQ7K2M', born: '1988-04-12' },
  elcin: { subject: '4CM9J7S', born: '1983-01-08' },
};

// iso is a day so many days from now by the real clock, as programs write it.
export const iso = (days = 0) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const dotted = (day) => day.split('-').reverse().join('.');

// refer sends a referral (form 88) under the polyclinic's seal, and gives the service's answer. ahead: how many days the
// demonstration's clock is ahead.
export async function refer(s, who, changes = {}, ahead = 0) {
  const dir = path.join(s.demo.dir, 'clinic');
  const seal = new X509Certificate(await readFile(path.join(dir, 'seal.pem')));
  const referral = {
    number: `88/${who.subject}`, on: iso(ahead), ...who, ground: '1.5.1', main: { code: 'M05.8', since: iso(ahead - 700) }, others: [],
    treatments: [{ code: 'M05.8', from: iso(ahead - 220), to: iso(ahead - 190), inpatient: true }],
    tests: [{ code: 'barthel', value: 55, on: iso(ahead - 9) }], physicians: ['2AB3C4D'], ...changes,
  };
  const part = (x) => Buffer.from(JSON.stringify(x)).toString('base64url');
  const head = part({ alg: 'ES256', 'x5t#S256': createHash('sha256').update(seal.raw).digest('base64url') });
  const signed = `${head}.${part(referral)}`;
  const key = { key: createPrivateKey(await readFile(path.join(dir, 'key.pem'))), dsaEncoding: 'ieee-p1363' };
  const answer = await fetch(`${s.demo.address}/api/v1/referrals`, {
    method: 'POST', headers: { 'Content-Type': 'application/jose' }, body: `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`,
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}

// faults is what goes wrong at the agencies from now on.
export async function faults(s, ...all) {
  const services = JSON.parse(await readFile(path.join(s.demo.dir, 'agencies', 'services.json'), 'utf8'));
  const answer = await fetch(`${services[0].url}/faults`, { method: 'PUT', body: JSON.stringify(all) });
  assert.equal(answer.status, 204, await answer.text());
}

// apply opens a case as a person does on the page, and gives its address.
export async function apply(page) {
  await page.goto('/cabinet/cases/new');
  assert.equal((await send(page)).status(), 303);
  await page.waitForURL(/\/cabinet\/cases\/T-/);
  return new URL(page.url()).pathname;
}

// becomes loads a person's page of a case until it is in a state.
export function becomes(page, address, condition, what) {
  return until(what, async () => {
    await page.goto(address);
    return condition(await page.content());
  }, 60_000);
}

// members are all who sit in commissions, signed in without a browser: { name, value, list } where list reads what waits
// for them.
export async function members(s) {
  const hidden = (html) => Object.fromEntries([...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, k, v]) => [k, v.replaceAll('&#43;', '+').replaceAll('&amp;', '&')]));
  const begin = async () => {
    const http = await request.newContext({ baseURL: s.demo.address, locale: 'en', extraHTTPHeaders: { 'Accept-Language': 'en' } });
    return [http, await (await http.get('/signin?to=/commission')).text()];
  };
  const [first, page] = await begin();
  await first.dispose();
  const all = [...page.matchAll(/id="member-\d+" value="([^"]*)"[^>]*><span><strong>([^<]*)<\/strong>/g)].map(([, value, name]) => ({ value, name }));
  assert.equal(all.length, 48);
  const waiting = [...all];
  const work = async () => {
    for (let m = waiting.shift(); m; m = waiting.shift()) {
      const [http, html] = await begin();
      const answer = await http.post('/demo-provider/authorize', { form: { ...hidden(html), person: m.value, method: 'e-signature' } });
      assert.match(answer.url(), /\/commission$/);
      m.list = async () => [...(await (await http.get('/commission')).text()).matchAll(/<a href="(\/commission\/\d+)">.*?<\/tr>/gs)]
        .map(([row, address]) => ({ address, role: /Chair|Further member|Member/.exec(row.split('</td>').at(-2))?.[0] }));
      m.had = (await m.list()).map((seat) => seat.address); // cases that the demonstration begins with
      m.close = () => http.dispose();
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return all;
}

// drawn waits until so many have a seat that the demonstration did not begin with and that is not among those of before, and gives them, the chair first.
export async function drawn(all, count, before = []) {
  let found = [];
  await until('a commission is drawn', async () => {
    found = [];
    for (const m of all) {
      for (const seat of await m.list()) if (!m.had.includes(seat.address) && !before.some((b) => b.name === m.name && b.address === seat.address)) found.push({ name: m.name, ...seat });
    }
    return found.length >= count;
  }, 90_000);
  assert.equal(found.length, count);
  return found.sort((a, b) => a.role.localeCompare(b.role)); // Chair, Further member, Member
}

// findings fills the form: one criterion with a grade, and how far each activity is limited. It says nothing of work where
// the form does not ask.
export async function findings(page, criterion, grade, limit) {
  await page.locator('#add').selectOption(criterion);
  await page.locator('button[value=add]').click();
  await page.locator(`input[name="grade-${criterion}"][value="${grade}"]`).check();
  for (const activity of ['self_care', 'movement', 'orientation', 'communication', 'behaviour', 'learning', 'work']) {
    const of = ['self_care', 'movement', 'work'].includes(activity) ? limit : 'none';
    const choice = page.locator(`input[name="activity-${activity}"][value="${of}"]`);
    if (await choice.count() > 0) await choice.check();
  }
}

// confirmAgain presses a button that leads to the provider, picks who is signed in once more, and comes back.
export async function confirmAgain(page, name, button) {
  await button.click();
  await page.waitForURL(/\/demo-provider\/authorize/);
  await pick(page, name);
  await page.waitForURL(/\/commission\/\d+$/);
}

// pick picks a member on the provider's page.
export async function pick(page, name) {
  const details = page.locator('details');
  if (await details.getAttribute('open') === null) await details.locator('summary').click();
  await details.locator('label.card').filter({ has: page.locator('strong', { hasText: name }) }).click();
  await page.locator('input[name=method][value="e-signature"]').check();
  await page.locator('main form button').first().click();
}

// signMemberIn signs a member in through the browser.
export async function signMemberIn(page, name, to = '/commission') {
  await page.goto(`/signin?to=${encodeURIComponent(to)}`);
  await pick(page, name);
  await page.waitForURL((u) => u.pathname === to);
}

// forward puts the demonstration's clock forward to so many days from the real day, on its page.
export async function forward(page, days) {
  await page.goto('/demo/clock');
  await page.locator('#day').fill(dotted(iso(days)));
  assert.equal((await send(page)).status(), 303);
}
