// The road of a medical institution: who waits, form 88 with every mistake named, signed at the provider, what became of it; and that there is no
// ground. Each page is examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { apply, becomes, forward, iso } from './assess.mjs';
import { people, send, signIn, suite, text } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });
const doctor = { name: 'Nigar', organisation: 'Nümunə Nəsimi poliklinikası' };
const dotted = (days) => iso(days).split('-').reverse().join('.');

test('an institution refers, and says that there is no ground', async () => {
  const [official, person] = await Promise.all([s.visitor(), s.visitor()]);
  const p = official.page;
  const examined = async (what, again) => {
    await look(official, what, again);
    await official.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
    await p.reload();
  };
  // sign picks the same member at the provider once more.
  const sign = async (button, back) => {
    await button.click();
    await p.waitForURL(/\/demo-provider\/authorize/);
    const card = p.locator('label.card').filter({ has: p.locator('strong', { hasText: doctor.name }) }).filter({ hasText: doctor.organisation });
    await card.click();
    await p.locator('input[name=method][value="e-signature"]').check();
    await p.locator('main form button').first().click();
    await p.waitForURL(back);
  };
  const waits = async () => text('az', 'tseras-person.turn.institution');
  await signIn(person.page, people.jobs);
  let mine = await apply(person.page);
  const sentence = await waits();
  await becomes(person.page, mine, (html) => html.includes(sentence), 'waits for the institution');
  let number = mine.split('/').pop();

  await signIn(p, doctor.name, { organisation: doctor.organisation });
  await p.goto('/institution');
  assert.match(await p.locator('main').innerText(), /Elçin/);
  await examined('who waits');
  await p.goto(`/institution/waiting/${number}`);
  await examined('one who waits');
  await send(p, p.locator(`form[action="/institution/waiting/${number}"] button`));
  assert.equal(await p.locator('.errors a').count() > 0, true, 'a refusal without a reason');

  await p.goto(`/institution/refer?case=${number}`);
  assert.equal(await p.locator('#subject').inputValue(), '4CM9J7S');
  await examined('form 88');
  await send(p, p.locator('button[value=check]').last());
  assert.ok(await p.locator('.errors a').count() >= 3, 'an empty form');
  await examined('form 88, empty');
  await p.goto(`/institution/refer?case=${number}`);
  const fill = async (all) => { for (const [id, value] of Object.entries(all)) await p.locator(`#${id}`).fill(value); };
  const good = { number: '88/2026-1', on: dotted(0), 'main-code': 'n18.5', 'main-since': dotted(-60), 'physicians-0-code': '2AB3C4D' };
  await fill(good);
  await p.locator('input[name=ground][value="1.5.2"]').check();
  await p.locator('#tests-0-code').selectOption('gfr');
  await fill({ 'tests-0-value': '9', 'tests-0-since': dotted(-3) });
  for (const [field, bad] of Object.entries({ on: dotted(2), 'main-code': 'ABC', 'physicians-0-code': 'x' })) {
    await fill({ [field]: bad });
    assert.equal((await send(p, p.locator('button[value=check]').last())).status(), 422, field);
    await p.locator(`.errors a[href="#${field}"]`).click();
    assert.equal(await p.evaluate(() => document.activeElement.id), field);
    await fill({ [field]: good[field] });
  }
  assert.equal((await send(p, p.locator('button[value=check]').last())).status(), 200);
  assert.match(await p.locator('main').innerText(), /N18\.5/);
  await sign(p.locator('button[value=sign]'), new RegExp(`/institution/referrals/${number}$`));
  await examined('a referral');
  await becomes(person.page, mine, (html) => !html.includes(sentence), 'was referred');
  await p.goto('/institution?number=88/2026-1');
  assert.match(await p.content(), new RegExp(number));

  // Another time there is no ground; the clock shows who is late.
  await person.page.goto(`${mine}/withdraw`);
  await send(person.page);
  mine = await apply(person.page);
  number = mine.split('/').pop();
  await becomes(person.page, mine, (html) => html.includes(sentence), 'waits for the institution again');
  await forward(p, 30);
  await official.context.clearCookies();
  await signIn(p, doctor.name, { organisation: doctor.organisation, to: '/institution' });
  await p.goto('/institution');
  assert.ok(await p.locator('main .tag.bad').count() > 0, 'nobody is late');
  await examined('who is late');
  await p.goto(`/institution/waiting/${number}`);
  await p.locator('input[name=reason][value=no_ground]').check();
  assert.equal((await send(p, p.locator(`form[action="/institution/waiting/${number}"] button`))).status(), 422);
  assert.equal(await p.locator('.errors a[href="#words"]').count(), 1);
  await p.locator('#words').fill('Müalicə davam edir.');
  await sign(p.locator(`form[action="/institution/waiting/${number}"] button`), /\/institution/);
  await person.context.clearCookies();
  await signIn(person.page, people.jobs, { to: mine });
  await becomes(person.page, mine, (html) => html.includes('Müalicə davam edir'), 'was declined');
  await Promise.all([official.close(), person.close()]);
});
