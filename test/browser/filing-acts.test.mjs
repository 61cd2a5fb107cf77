// What else a clerk does for a person who is present: says that a register is wrong, appeals, and takes both back; with nothing filled in, by a double
// click, and by the same form in a second window. The person sees each act, with office and clerk. Each page is examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { apply, becomes, faults } from './assess.mjs';
import { people, send, signIn, suite, text, until, wrong } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });
const clerk = { name: 'Zaur', organisation: 'Nümunə 1 saylı poçt şöbəsi' };
const card = { document: 'AZE08451297', fin: '8PH2E6V' }; // Sevinc's

test('a clerk asks for a correction, appeals, and takes both back for a person who is present', async () => {
  const [official, person] = await Promise.all([s.visitor(), s.visitor()]);
  const p = official.page;
  const examined = async (v, what) => {
    await look(v, what);
    await v.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
    await v.page.setViewportSize({ width: 1280, height: 800 });
    await v.page.reload();
  };
  await signIn(person.page, people.refused);
  const mine = await apply(person.page);
  await becomes(person.page, mine, (html) => html.includes('class="verdict'), 'it is decided');
  await signIn(p, clerk.name, { organisation: clerk.organisation });
  await p.goto('/filing');
  await p.locator('#document').fill(card.document);
  await p.locator('#fin').fill(card.fin);
  assert.equal((await send(p)).status(), 303);
  const visit = new URL(p.url()).pathname;
  const [correct, appeal] = ['correct', 'appeal'].map((act) => `${visit}/${act}/${mine.split('/').pop()}`);
  for (const form of [correct, appeal]) assert.equal(await p.locator(`a[href="${form}"]`).count(), 1, form);
  await examined(official, 'a visit of somebody whose case is decided');

  // twice sends a form by a double click, and the same form again from a second window: it is one case, on whose receipt the clerk comes out.
  const twice = async (form, kind, fill) => {
    const second = await official.context.newPage();
    for (const page of [second, p]) {
      await page.goto(form);
      await fill(page);
    }
    const key = await p.locator('input[name=key]').inputValue();
    await second.locator('input[name=key]').evaluate((e, same) => { e.value = same; }, key);
    await p.locator('main form button').dblclick();
    await p.waitForURL(/\/receipt\/T-/);
    await p.locator('.code-groups').waitFor();
    const number = p.url().split('/').pop();
    assert.equal((await send(second)).status(), 303);
    assert.equal(second.url(), p.url(), 'the same form is the same case');
    await second.goto(visit);
    assert.equal(await second.locator('table.stack tbody tr').filter({ hasText: await text('az', `filing.kind.${kind}`) }).count(), 1, `one ${kind}`);
    await second.close();
    return number;
  };
  // takenBack withdraws, by a double click, too.
  const takenBack = async (number, kind) => {
    await until('it can be taken back', async () => {
      await p.goto(`${visit}/withdraw/${number}`);
      return p.locator('main form button').count();
    });
    assert.ok((await p.locator('main').innerText()).includes(await text('az', `filing.withdraw.then.${kind}`)));
    await examined(official, `taking back a case of the kind ${kind}`);
    await p.locator('main form button').dblclick();
    await p.waitForURL(`**/receipt/${number}`);
    await p.locator('.code-groups').waitFor();
    assert.equal((await p.goto(`${visit}/withdraw/${number}`)).status(), 404, 'it is offered no more');
  };
  // seen is what the person reads of it among what was done for him, and in the case's own history.
  const seen = async (number, ...acts) => {
    const q = person.page;
    await q.goto('/cabinet/cases');
    const rows = q.locator('table.stack tbody tr').filter({ hasText: clerk.organisation });
    for (const act of acts) {
      const row = rows.filter({ hasText: `${number}: ${await text('az', act)}` });
      assert.equal(await row.count(), 1, `${number}: ${act}`);
      assert.ok((await row.innerText()).includes(clerk.name), 'the clerk is named');
    }
    await q.goto(`/cabinet/cases/${number}`);
    assert.ok((await q.locator('main').innerText()).includes(clerk.organisation), 'who opened it');
  };

  // A correction: nothing filled in, too much, twice, of a register that is being asked, and back again.
  await p.goto(correct);
  await examined(official, 'a correction');
  await wrong(p, await send(p), { register: 'tseras.correction.register', wrong: 'tseras.correction.wrong', words: 'text.missing' });
  await examined(official, 'a correction with nothing filled in');
  const dispute = (words) => async (page) => {
    await page.locator('input[name=register][value=episodes]').check();
    await page.locator('input[name=wrong][value=never-was]').check();
    await page.locator('#words').fill(words);
  };
  await p.goto(correct);
  await p.locator('#words').evaluate((e) => e.removeAttribute('maxlength'));
  await dispute('ə'.repeat(501))(p);
  assert.equal((await send(p)).status(), 422);
  assert.deepEqual(await p.locator('.errors a').evaluateAll((all) => all.map((a) => a.hash)), ['#words']);
  assert.equal((await p.locator('#words').inputValue()).length, 501, 'what was said stays');
  await faults(s, { register: 'correctepisodes', kind: 'down' }); // so that it is still open when it is taken back
  const correction = await twice(correct, 'correction', dispute('Orada müalicə\nalmamışam'));
  await examined(official, 'the receipt of a correction');
  await p.goto(correct);
  await dispute('Bir daha')(p);
  await wrong(p, await send(p), { register: 'tseras.correction.open' });
  await takenBack(correction, 'correction');
  await seen(correction, 'tseras-correction.step.correction_asked', 'tseras-correction.step.withdrawn');
  await faults(s);

  // An appeal likewise. After it there is no other.
  await p.goto(appeal);
  await examined(official, 'an appeal');
  await wrong(p, await send(p), { points: 'tseras.appeal.points' });
  await examined(official, 'an appeal against nothing');
  await p.goto(appeal);
  await p.locator('input[name=points][value=other]').check();
  await wrong(p, await send(p), { words: 'text.missing' });
  const appealed = await twice(appeal, 'appeal', async (page) => {
    await page.locator('input[name=points][value=activities]').check();
    await page.locator('#words').fill('Tək yeriyə bilmirəm.\nEvdən çıxmıram.');
  });
  await examined(official, 'the receipt of an appeal');
  assert.equal((await p.goto(appeal)).status(), 404, 'a second appeal');
  await takenBack(appealed, 'appeal');
  await seen(appealed, 'tseras-appeal.step.appealed', 'tseras-appeal.step.withdrawn');
  await person.page.goto('/cabinet/cases');
  await examined(person, 'what clerks did');
  await person.page.goto('/cabinet/messages');
  const notes = await person.page.locator('main').innerText();
  for (const key of ['filing.message.visit', 'filing.message.correction_asked', 'tseras-appeal.message.appealed_for', 'filing.message.withdrawn']) {
    assert.ok(notes.includes(await text('az', `${key}.title`)), key);
  }
  await Promise.all([official.close(), person.close()]);
});
