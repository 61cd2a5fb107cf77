// The road of a correction, by the person who asks for it and the agencies that answer: what is wrong is said, sent twice at once, the agency
// is silent, corrects, and refuses with a reason; and each page examined on the way (look.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { apply, becomes, faults, forward } from './assess.mjs';
import { langs, people, send, signIn, suite, text, until } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });

// examined looks at the page that is open, also at 320 px, and leaves it in Azerbaijani and wide.
async function examined(v, what) {
  await look(v, what);
  await v.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
  await v.page.setViewportSize({ width: 1280, height: 800 });
  await v.page.reload();
}

// fill fills the form.
async function fill(page, register, wrong, words) {
  await page.locator(`input[name=register][value=${register}]`).check();
  await page.locator(`input[name=wrong][value=${wrong}]`).check();
  await page.locator('#words').fill(words);
}

// says is whether the page says a text in the language that it is in.
async function says(page, key, args) {
  return (await page.locator('main').innerText()).includes(await text(await page.evaluate(() => document.documentElement.lang), key, args));
}

test('a register that is wrong is corrected, or not, by the agency that keeps it', async () => {
  const person = await s.visitor({ lang: 'az' });
  const p = person.page;
  await signIn(p, people.citizen);
  const mine = await apply(p);
  const form = `/cabinet/corrections/new/${mine.split('/').pop()}`;
  await becomes(p, mine, (html) => html.includes(form) && !html.includes('http-equiv="refresh"') && !html.includes('/gathering'), 'registers have answered');
  await p.locator(`a[href="${form}"]`).click();
  await p.waitForURL(`**${form}`);
  await examined(person, 'a correction');

  // What is wrong stands at its field, and what was typed stays.
  await p.goto(form);
  assert.equal((await send(p)).status(), 422);
  for (const field of ['register', 'wrong', 'words']) assert.equal(await p.locator(`#${field}-why`).count(), 1, field);
  assert.ok((await p.locator('.errors a[href="#words"]').innerText()).startsWith(await text('az', 'tseras-correction.words')), 'which field is empty');
  await examined(person, 'a correction, nothing filled in');
  await p.goto(form);
  await fill(p, 'episodes', 'never-was', 'x');
  await p.locator('#words').evaluate((e) => { e.removeAttribute('maxlength'); e.value = 'ə'.repeat(501); });
  assert.equal((await send(p)).status(), 422);
  assert.equal(await p.locator('.why').count(), 1);
  assert.ok(await p.locator('input[name=register][value=episodes]').isChecked());
  assert.equal((await p.locator('#words').inputValue()).length, 501);

  // Sent by a double click while the agency is away it is one correction; no answer is no refusal.
  await faults(s, { register: 'correctepisodes', kind: 'down' });
  await p.goto(form);
  await fill(p, 'episodes', 'never-was', 'Orada müalicə\nalmamışam');
  await Promise.all([p.waitForResponse((r) => r.request().method() === 'POST'), p.locator('main form button').dblclick()]);
  const corrections = async () => { // the answer to the second click may come between, and end the way there
    await p.goto('/cabinet/cases');
    return (await p.locator('a[href^="/cabinet/cases/T-"]').evaluateAll((all) => all.map((a) => a.getAttribute('href')))).filter((x) => x !== mine);
  };
  const [number] = await until('it is asked for', () => corrections().then((all) => all.length > 0 && all, () => false));
  const first = number.replace('/cases/', '/corrections/');
  await becomes(p, first, (html) => html.includes('imtina demək deyil'), 'the silence is said');
  assert.ok(await says(p, 'tseras-correction.again'), 'when it is asked again');
  assert.ok((await p.locator('.said').innerText()).includes('Orada müalicə almamışam'));
  await examined(person, 'a silent agency');
  assert.equal((await corrections()).length, 1, 'one correction');
  await p.goto(form);
  await fill(p, 'episodes', 'date', 'Bir daha');
  assert.ok((await send(p)).status() >= 400, 'one is open for this register');
  assert.ok(await says(p, 'problem.tseras.correction.open'));
  await examined(person, 'a correction for a register that is being asked');

  // Another agency refuses, with a reason.
  await p.goto(form);
  await fill(p, 'contracts', 'missing', 'İş yerim yoxdur');
  assert.equal((await send(p)).status(), 303);
  const second = new URL(p.url()).pathname;
  await becomes(p, second, (html) => html.includes('təsdiqləyən sənəd yoxdur'), 'it is refused');
  await examined(person, 'refused');
  for (const lang of [...langs, 'az']) {
    await p.goto(`${second}?lang=${lang}`);
    assert.ok(await says(p, 'tseras-correction.reason.no-proof'), lang);
  }

  // The agency is back, the register corrected, and all registers are asked again.
  await faults(s);
  await forward(p, 1);
  await becomes(p, first, (html) => html.includes('yenidən soruşulur'), 'it is corrected');
  await examined(person, 'corrected');
  await p.goto('/cabinet/messages');
  for (const key of ['corrected', 'refused']) assert.ok(await says(p, `tseras-correction.message.${key}.title`), key);
  await p.goto(first);
  assert.equal(await p.locator(`form[action="${first}/withdraw"]`).count(), 0, 'what is answered cannot be taken back');

  // One more, taken back.
  await faults(s, { register: 'correctpopulation', kind: 'later' });
  await p.goto(form);
  await becomes(p, form, (html) => html.includes('value="population"'), 'the registers have answered again');
  await fill(p, 'population', 'other', 'Ünvanım başqadır');
  assert.equal((await send(p)).status(), 303);
  const third = new URL(p.url()).pathname;
  await becomes(p, third, (html) => html.includes('Daha çox vaxt'), 'it needs time');
  await examined(person, 'an agency that needs time');
  await p.goto(third);
  await send(p, p.locator(`form[action="${third}/withdraw"] button`));
  assert.equal(new URL(p.url()).pathname, third);
  assert.equal(await p.locator(`form[action="${third}/withdraw"]`).count(), 0);
  await examined(person, 'taken back');
  await person.close();
});
