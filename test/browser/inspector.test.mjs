// The road of an inspector: terms, draws, differences, looks and statistics of what was before he came, and one case by its number for a
// purpose, which the person reads. Each page is examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { apply, becomes, forward } from './assess.mjs';
import { list, people, send, signIn, suite, text, wrong } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after, past: 30 });
const inspector = { name: 'Orxan Babayev', organisation: 'Nümunə Sosial Nəzarət Xidməti' };

test('an inspector watches over assessments', async () => {
  const [official, person] = await Promise.all([s.visitor(), s.visitor()]);
  const p = official.page;
  const examined = async (what) => {
    await look(official, what);
    await official.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
    await p.reload();
  };
  await signIn(p, inspector.name, { organisation: inspector.organisation });

  // What the registers, the polyclinic and commissions did in the last quarter is there, and nobody's name.
  await p.goto('/inspection/statistics');
  assert.ok(await p.locator('figure.chart').count() >= 4, 'statistics have no charts');
  const shown = (await p.locator('td[data-name="İşlər"]').allInnerTexts()).map(Number);
  const byMonth = (await p.locator('h2#by-month ~ table').first().locator('td.num').allInnerTexts());
  assert.match(byMonth[1], /^\d+,\d%$/, 'a share is written as in Azerbaijani');
  for (const id of ['by-way', 'by-outcome', 'by-band', 'by-cause', 'by-term', 'by-region']) {
    const table = p.locator(`h2#${id} ~ table`).first();
    if (await p.locator(`h2#${id} + p + p.quiet, h2#${id} + p.quiet`).count() > 0) continue; // too few for a table
    for (const n of await table.locator('td[data-name="İşlər"]').allInnerTexts()) assert.ok(Number(n) >= 5, `${id} shows ${n}`);
  }
  assert.ok(shown[0] > 20, `${shown[0]} closed cases`);
  const rows = await list(official, '/inspection/statistics.csv');
  assert.ok(rows.some((r) => r[0] === 'Aylar üzrə') && rows.some((r) => /^\d{4}-\d\d$/.test(r[0]) && /^\d+\.\d%$/.test(r[2])), 'the spreadsheet is for programs');
  await examined('statistics');

  // By keyboard: another period, of which only totals are told.
  await p.locator('#period').focus();
  await p.keyboard.press('End');
  await p.keyboard.press('Tab');
  await Promise.all([p.waitForURL(/period=\d{4}-\d\d$/), p.keyboard.press('Enter')]);
  assert.ok((await p.locator('main').innerText()).includes(await text('az', 'inspection.quarters.text')));
  assert.equal(await p.locator('h2#by-outcome').count(), 0);

  for (const view of ['clocks', 'draws', 'findings', 'looks']) {
    await p.goto(`/inspection/${view}`);
    if (view !== 'clocks') assert.ok(await p.locator('main tbody tr').count() > 0, `${view}: nothing`);
    if (view === 'draws') assert.ok(await p.locator('figure.chart rect').count() > 0);
    await examined(view);
  }

  // A case that is late leads to the question by name, whose every mistake is named.
  await signIn(person.page, people.citizen);
  const mine = await apply(person.page);
  const number = mine.split('/').pop();
  const waits = await text('az', 'tseras-person.turn.institution');
  await becomes(person.page, mine, (html) => html.includes(waits), 'waits for a referral');
  await forward(p, 40);
  await official.context.clearCookies();
  await signIn(p, inspector.name, { organisation: inspector.organisation, to: '/inspection/clocks' });
  await p.goto('/inspection/clocks');
  await p.locator('h2#overdue ~ table a', { hasText: number }).click();
  assert.equal(await p.locator('#number').inputValue(), number);
  await p.locator('#number').fill('');
  await wrong(p, await send(p), { number: 'inspection.number-missing', purpose: 'inspection.purpose' });
  await examined('a look without a number');
  await p.goto('/inspection/case');
  await p.locator('#number').fill('123');
  await p.locator('#purpose-2').check();
  await wrong(p, await send(p), { number: 'inspection.number-malformed' });
  await p.locator('#number').fill('T-2026-999999');
  await wrong(p, await send(p), { number: 'inspection.number-unknown' });
  await p.locator('#number').fill(number.toLowerCase());
  await p.locator('#purpose-2').focus();
  await p.keyboard.press('Space');
  await Promise.all([p.waitForURL(/\/inspection\/case\/[0-9A-Z]{26}$/), p.keyboard.press('Enter')]);
  assert.match(await p.locator('main').innerText(), /Nərmin/);
  const open = new URL(p.url()).pathname;
  await examined('a case by name');

  // The person reads who looked and what for; after its time the look shows nothing more.
  await person.context.clearCookies();
  await signIn(person.page, people.citizen, { to: mine });
  await person.page.goto(mine);
  const said = await person.page.locator('main').innerText();
  assert.ok(said.includes(inspector.organisation) && said.includes(await text('az', 'inspection.purpose.overdue')), said);
  await forward(p, 41);
  await official.context.clearCookies();
  await signIn(p, inspector.name, { organisation: inspector.organisation, to: '/inspection/case' });
  assert.equal((await p.goto(open)).status(), 404);
  await Promise.all([official.close(), person.close()]);
});
