// The road of a clerk who files for a person who is present: what stands on the card, an application, its receipt, its withdrawal, the end of the
// visit; and what the person sees of it. Each page is examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forward } from './assess.mjs';
import { people, send, signIn, suite, until, wrong } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });
const clerk = { name: 'Zaur', organisation: 'Nümunə 1 saylı poçt şöbəsi' };
const card = { document: 'AA7719305', fin: '4CM9J7S' }; // Elçin's

test('a clerk files for a person who is present', async () => {
  const [official, person] = await Promise.all([s.visitor(), s.visitor()]);
  const p = official.page;
  const examined = async (what, again) => {
    await look(official, what, again);
    await official.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
    await p.reload();
  };
  await signIn(p, clerk.name, { organisation: clerk.organisation });
  await p.goto('/filing');
  await examined('the card');
  await wrong(p, await send(p), { document: 'document.malformed', fin: 'fin.malformed' });
  await examined('an empty card');
  await p.goto('/filing');
  await p.locator('#document').fill('AA77');
  await p.locator('#fin').fill('4CM');
  await wrong(p, await send(p), { document: 'document.malformed', fin: 'fin.malformed' });

  // Two cards' halves are nobody: which of them is wrong is not told.
  await p.locator('#document').fill('AA4071826');
  await p.locator('#fin').fill(card.fin);
  assert.equal((await send(p)).status(), 422);
  assert.doesNotMatch(await p.locator('main').innerText(), /Elçin|Nərmin/);

  // By keyboard alone: the card, and the application.
  await p.goto('/filing');
  await p.waitForFunction(() => document.activeElement.id === 'document'); // the browser does it when it draws
  await p.keyboard.type(card.document);
  await p.keyboard.press('Tab');
  await p.keyboard.type(card.fin);
  await Promise.all([p.waitForURL(/\/filing\/[0-9A-Z]{26}$/), p.keyboard.press('Enter')]);
  const visit = new URL(p.url()).pathname;
  assert.match(await p.locator('h1').innerText(), /Elçin/);
  await examined('a visit');
  await p.locator(`form[action="${visit}/apply"] button`).focus();
  await Promise.all([p.waitForURL(/\/receipt\/T-/), p.keyboard.press('Enter')]);
  const number = p.url().split('/').pop();
  await examined('a receipt');

  // The person sees who did it, where and when.
  await signIn(person.page, people.jobs, { to: `/cabinet/cases/${number}` });
  await person.page.goto(`/cabinet/cases/${number}`);
  assert.ok((await person.page.locator('main').innerText()).includes(clerk.organisation));

  await p.goto(visit);
  assert.equal(await p.locator(`form[action="${visit}/apply"]`).count(), 0, 'a second application is offered');
  await until('it can be withdrawn', async () => {
    await p.goto(`${visit}/withdraw/${number}`);
    return p.locator('main form button').count();
  });
  await examined('a withdrawal');
  await send(p);
  await p.goto(visit);
  assert.equal(await p.locator(`form[action="${visit}/apply"]`).count(), 1);

  // The visit ends when the clerk says so, and by itself.
  await send(p, p.locator(`form[action="${visit}/end"] button`));
  assert.equal((await p.goto(visit)).status(), 404);
  await p.goto('/filing');
  await p.locator('#document').fill(card.document);
  await p.locator('#fin').fill(card.fin);
  await send(p);
  const second = new URL(p.url()).pathname;
  assert.equal((await p.goto(second)).status(), 200);
  await forward(p, 1);
  await official.context.clearCookies();
  await signIn(p, clerk.name, { organisation: clerk.organisation, to: '/filing' });
  assert.equal((await p.goto(second)).status(), 404);
  await Promise.all([official.close(), person.close()]);
});
