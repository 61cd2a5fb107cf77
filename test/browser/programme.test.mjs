// The road of a rehabilitation programme, by those who walk it: decided, taken by a body, invited, moved at the person's wish,
// drafted, missing something, drafted again, agreed to, entered; and each page examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { people, send, signIn, suite, until } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });
const body = { name: 'Sevda Cəfərova', organisation: 'Nümunə Bərpa Mərkəzi' };

// days are the dates after one, as a date's field takes them.
const days = (from, n) => Array.from({ length: n }, (_, i) => new Date(from + (i + 1) * 86_400_000).toISOString().slice(0, 10));

// examined looks at the page that is open, and leaves it in Azerbaijani and wide.
async function examined(v) {
  await look(v, 'programme');
  await v.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
  await v.page.setViewportSize({ width: 1280, height: 800 });
  await v.page.reload();
}

// invite takes the first day that is a working day, and gives it.
async function invite(page, button, place) {
  for (const day of days(Date.now() + 4 * 3_600_000, 9)) {
    await page.locator('#day').fill(day);
    await page.locator('#time').fill('10:30');
    await page.locator('#place').fill(place ?? '');
    await page.locator('#home').setChecked(!place);
    const answer = await send(page, page.locator(`button[value=${button}]`));
    if (answer.status() === 303) return day;
    assert.equal(answer.status(), 422);
  }
  throw new Error('nine days without a working day');
}

test('a programme is made with the person', async () => {
  const [person, specialist] = await Promise.all([s.visitor(), s.visitor()]);
  const p = person.page;
  const q = specialist.page;
  await signIn(p, people.refused);
  await p.goto('/cabinet/cases/new');
  await send(p);
  const decided = p.url();
  await until('it is decided', async () => { await p.goto(decided); return p.locator('.verdict').count(); }, 60_000);
  await p.goto('/cabinet/cases');
  await p.locator('main .turn a.button').click();
  assert.match(p.url(), /\/cabinet\/programmes\/T-/);
  const mine = new URL(p.url()).pathname;
  const number = mine.split('/').pop();
  await examined(person);

  await signIn(q, body.name, { organisation: body.organisation });
  const at = `/rehabilitation/${number}`;
  assert.equal((await q.goto(at)).status(), 404, 'a body sees a case that it has not taken');
  await q.goto('/rehabilitation');
  await examined(specialist);
  await q.goto('/rehabilitation');
  await send(q, q.locator(`form[action="${at}/take"] button`));
  assert.equal(new URL(q.url()).pathname, at);
  assert.match(await q.locator('main').innerText(), /Sevinc/);
  await examined(specialist);
  await q.goto(at);
  await invite(q, 'invite', 'Bakı, 1 saylı otaq');
  await p.goto(mine);
  assert.match(await p.locator('main').innerText(), /1 saylı otaq/);
  await p.locator('#wish').fill('Evə gəlin: Nizami 5');
  await send(p, p.locator(`form[action="${mine}/wish"] button`));
  await examined(person);
  await q.goto(at);
  assert.match(await q.locator('main').innerText(), /Nizami 5/);
  const day = await invite(q, 'move');

  await q.goto('/demo/clock');
  await q.locator('#day').fill(new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('.'));
  await send(q);
  await q.goto(at);
  for (const measure of ['wheelchair_room', 'physiotherapy']) {
    await q.locator('#add').selectOption(measure);
    await send(q, q.locator('button[value=add]'));
  }
  assert.equal((await send(q, q.locator('button[value=save]'))).status(), 422, 'nobody provides it');
  const said = await q.locator('.errors a').allInnerTexts();
  assert.equal(new Set(said).size, 4, `which measure's provider and day are missing: ${said}`);
  const until30 = new Date(Date.parse(day) + 30 * 86_400_000).toISOString().slice(0, 10);
  const fill = async () => {
    for (const x of await q.locator('input[name^=provider-]').all()) await x.fill('Reabilitasiya Agentliyi');
    for (const x of await q.locator('input[name^=until-]').all()) await x.fill(until30);
  };
  await fill();
  await send(q, q.locator('button[value=save]'));
  await examined(specialist);
  await p.goto(mine);
  await examined(person);
  await p.goto(mine);
  await p.locator('#missing').fill('Ağ əsa da lazımdır');
  await send(p, p.locator('button[value=missing]'));
  await q.goto(at);
  assert.match(await q.locator('main').innerText(), /Ağ əsa da/);
  await q.locator('#add').selectOption('cane');
  await send(q, q.locator('button[value=add]'));
  await fill();
  await send(q, q.locator('button[value=save]'));
  await p.goto(mine);
  await send(p, p.locator('button[value=agreed]'));
  await q.goto(at);
  await send(q, q.locator(`form[action="${at}/enter"] button`));
  await examined(specialist);
  await p.goto(mine);
  const text = await p.locator('main').innerText();
  for (const want of ['Fizioterapiya', 'Nümunə Bərpa Mərkəzi', 'Ağ əsa']) assert.match(text, new RegExp(want));
  assert.match(text, /Nümunə Bərpa Mərkəzi · həmin gün \d+ dəfə/, 'a day of one body is one line of who looked');
  assert.doesNotMatch(await q.locator('main').innerText(), /N18|diagn/i);
  await examined(person);
  await Promise.all([person.close(), specialist.close()]);
});
