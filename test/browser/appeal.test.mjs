// The road of an appeal, by those who walk it: the registers alone decide, the person appeals, another commission is drawn and gives
// a time, which he moves; the members see him by a number when the time has come, record and sign; and the outcome stands beside the
// first decision. Each page is examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { apply, becomes, confirmAgain, drawn, findings, members, signMemberIn } from './assess.mjs';
import { people, send, signIn, suite } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });

// examined looks at the page that is open, and leaves it in Azerbaijani and wide.
async function examined(v) {
  await look(v, 'appeal');
  await v.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
  await v.page.setViewportSize({ width: 1280, height: 800 });
  await v.page.reload();
}

test('an appeal is examined in person', async () => {
  const person = await s.visitor({ lang: 'az' });
  const p = person.page;
  const all = await members(s); // before anybody is drawn
  await signIn(p, people.refused);
  const first = await apply(p);
  await becomes(p, first, (html) => html.includes('class="verdict'), 'it is decided');
  await examined(person);
  await p.locator(`a[href="${first}/appeal"]`).click();
  await p.waitForURL(/\/appeal\?key=/);
  assert.equal((await send(p)).status(), 422, 'nothing is disputed');
  await examined(person);
  await p.goto(`${first}/appeal`);
  await p.locator('input[value=activities]').check();
  await p.locator('#words').fill('Tək yeriyə bilmirəm.\nEvdən çıxmıram.');
  assert.equal((await send(p)).status(), 303);
  await p.waitForURL(/\/cabinet\/cases\/T-/);
  const mine = new URL(p.url()).pathname;
  assert.notEqual(mine, first);
  await becomes(p, mine, (html) => html.includes(`${mine}/slot`), 'there is a time');
  await examined(person);
  const panel = await drawn(all, 3);

  await p.goto(`${mine}/slot`);
  await examined(person);
  await p.goto(`${mine}/slot`);
  const before = await p.locator('dl.facts dd').first().innerText();
  await p.locator('input[name=slot]').nth(1).check();
  assert.equal((await send(p, p.locator('button[value=move]'))).status(), 303);
  await p.goto(mine);
  const facts = p.locator('dl.facts dd');
  const when = await facts.first().innerText();
  const ticket = await p.locator('.code-groups').innerText();
  assert.notEqual(when, before);

  // Before the time nobody can record; then, by the clock that is put forward, everybody does.
  const chair = await s.visitor({ lang: 'az' });
  await signMemberIn(chair.page, panel[0].name);
  await chair.page.goto(panel[0].address);
  const text = await chair.page.locator('main').innerText();
  for (const want of [when, ticket]) assert.ok(text.includes(want), `${want} is not in ${text}`);
  for (const hidden of ['Sevinc', 'yeriyə', mine.split('/').pop(), first.split('/').pop()]) assert.ok(!text.includes(hidden), hidden);
  assert.equal(await chair.page.locator('button[value=save]').count(), 0);
  await examined(chair);
  const clock = await s.visitor({ lang: 'az' });
  await signIn(clock.page, people.nobody);
  await clock.page.goto('/demo/clock');
  const [day, month, year] = when.slice(0, 10).split('.').map(Number);
  await clock.page.locator('#day').fill(new Date(Date.UTC(year, month - 1, day + 1)).toISOString().slice(0, 10).split('-').reverse().join('.'));
  await send(clock.page);
  await clock.close();
  const sessions = [chair];
  for (const m of panel.slice(1)) {
    const v = await s.visitor({ lang: 'az' });
    await signMemberIn(v.page, m.name);
    sessions.push(v);
  }
  await chair.page.goto(panel[0].address);
  assert.equal(await chair.page.locator(`form[action="${panel[0].address}/absent"]`).count(), 1);
  await examined(chair);
  for (const [i, v] of sessions.entries()) {
    await v.page.goto(panel[i].address);
    await findings(v.page, 'joints-rheumatoid', '2', 'I');
    assert.equal((await send(v.page, v.page.locator('button[value=save]'))).status(), 303);
  }
  for (const [i, v] of sessions.entries()) {
    await becomes(v.page, panel[i].address, (html) => html.includes('id="result"'), 'there is a result');
    await confirmAgain(v.page, panel[i].name, v.page.locator(`form[action="${panel[i].address}/sign"] button`));
  }
  await becomes(p, mine, (html) => html.includes('class="verdict'), 'the appeal is decided');
  assert.equal(await p.locator('table.stack').first().locator('tbody tr').count() >= 3, true);
  await examined(person);
  await p.goto(first);
  assert.equal(await p.locator(`a[href="${mine}"]`).count(), 1);
  await Promise.all([person, ...sessions].map((v) => v.close()));
  for (const m of all) await m.close();
});
