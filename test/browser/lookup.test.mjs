// The look-up without sign-in: with the script and its proof of work, without script, by keyboard alone, in every language and width; and what
// the person sees of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, confirm, people, send, sent, signIn, suite, text } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after });

// Cards and birthdays of the demonstration's people; nobody else has them.
const cards = {
  [people.citizen]: ['AA4071826', '12.04.1988'],
  [people.refused]: ['AZE08451297', '21.07.1979'],
  [people.corrected]: ['AA6604182', '05.12.1991'],
};

async function fill(page, [document, born]) {
  await page.locator('#document').fill(document);
  await page.locator('#born').fill(born);
}

// ask fills the form in and waits for the answer; the browser works on its proof for a moment.
async function ask(page, card) {
  await page.goto('/lookup');
  await fill(page, card);
  return answered(page);
}

async function answered(page) {
  const [answer] = await Promise.all([
    page.waitForResponse((r) => r.request().method() === 'POST', { timeout: 60_000 }), page.waitForEvent('domcontentloaded', { timeout: 60_000 }),
    page.locator('main form button').click(),
  ]);
  return answer.status();
}

const heading = (page) => page.locator('h1').innerText();

test('by keyboard alone, with the script', async () => {
  const v = await s.visitor();
  const { page } = v;
  // What a screen reader would say.
  const heard = [];
  await page.exposeFunction('heard', (said) => heard.push(said));
  await page.addInitScript(() => addEventListener('DOMContentLoaded', () => {
    const status = document.getElementById('lookup-status');
    if (status) new MutationObserver(() => window.heard(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
  }));
  await page.goto('/lookup');
  await page.locator('#document').focus();
  await page.keyboard.type('4071826'); // the series is inferred
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'born');
  await page.keyboard.type('12041988');
  const answer = page.waitForResponse((r) => r.request().method() === 'POST', { timeout: 60_000 });
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BUTTON');
  await page.evaluate(() => { const b = document.activeElement; b.click(); b.click(); }); // impatient people press twice
  assert.ok(heard[0]?.startsWith(await text('az', 'lookup.wait')), `heard: ${heard}`);
  assert.equal((await answer).status(), 200);
  await page.waitForLoadState();
  assert.equal(await heading(page), await text('az', 'lookup.result.title'));
  const facts = await page.locator('dl.facts').innerText();
  assert.ok(facts.includes(await text('az', 'lookup.status.decided')));
  assert.match(facts, /\d\d\.\d\d\.\d{4}[\s\S]*\d\d\.\d\d\.\d{4}/);
  assert.doesNotMatch(await page.locator('main').innerText(), /faiz|dərəcə|qrup|%|\d\d–\d\d/i, 'no measure of disability');

  // Back: the puzzle was used, and the page knows it.
  await page.goBack();
  await page.waitForLoadState();
  await fill(page, ['0000000', '01.01.1980']);
  assert.equal(await answered(page), 200);
  assert.equal(await heading(page), await text('az', 'lookup.nothing.title'));
  await v.close();
});

test('what was asked is told to the person, whose first sign-in switches it off', async () => {
  const stranger = await s.visitor({ lang: 'en' });
  assert.equal(await ask(stranger.page, cards[people.refused]), 200);
  assert.equal(await heading(stranger.page), await text('en', 'lookup.result.title'));

  const person = await s.visitor({ lang: 'en' });
  await signIn(person.page, people.refused);
  await person.page.goto('/cabinet/messages');
  assert.ok((await person.page.locator('main').innerText()).includes(await text('en', 'lookup.message.shown.title')));
  await person.page.goto('/cabinet/checks-of-mine');
  assert.ok((await person.page.locator('main').innerText()).includes(await text('en', 'verifier.lookup.shown')));
  await person.page.goto('/cabinet/lookup');
  assert.equal(await person.page.locator('.turn h2').innerText(), await text('en', 'lookup.switch.is-closed'));
  assert.equal(await person.page.locator('tbody tr').count(), 1);

  await ask(stranger.page, cards[people.refused]);
  const nothing = await stranger.page.locator('main').innerText();
  assert.equal(await heading(stranger.page), await text('en', 'lookup.nothing.title'));
  await ask(stranger.page, ['AZ7654321', '01.01.1980']);
  assert.equal(await stranger.page.locator('main').innerText(), nothing, 'switched off is told from unknown');

  await person.page.locator('input[name=open][value=yes]').check();
  await send(person.page);
  assert.equal(await person.page.locator('.turn h2').innerText(), await text('en', 'lookup.switch.is-open'));
  await ask(stranger.page, cards[people.refused]);
  assert.equal(await heading(stranger.page), await text('en', 'lookup.result.title'));
  await person.page.goto('/cabinet/lookup');
  await look(person, 'the switch');
  await person.close();
  await stranger.close();
});

test('without script the answer goes to the telephone', async () => {
  const person = await s.visitor();
  await signIn(person.page, people.corrected);
  await choose(person.page, 'sms', '#phone', '050 555 44 33', 'az');
  await confirm(person.page, '+994505554433');
  await person.page.goto('/cabinet/lookup');
  await person.page.locator('input[name=open][value=yes]').check();
  await send(person.page);

  const before = (await sent(person.page)).length;
  const v = await s.visitor({ javaScriptEnabled: false });
  const { page } = v;
  await page.goto('/lookup');
  assert.ok((await page.locator('main').innerText()).includes(await text('az', 'lookup.no-script')));
  await fill(page, cards[people.corrected]);
  assert.equal((await send(page)).status(), 200);
  const said = await page.locator('main').innerText();
  assert.equal(await heading(page), await text('az', 'lookup.sent.title'));
  assert.doesNotMatch(said, /\d\d\.\d\d\.\d{4}/);
  const [sms] = await sent(person.page, before);
  assert.match(sms.text, /^Sonuncu müayinə\. Qərar \d\d\.\d\d\.\d{4} tarixində qəbul olunub\./);

  await page.goto('/lookup');
  await fill(page, ['AZ7654321', '01.01.1980']);
  await send(page);
  assert.equal(await page.locator('main').innerText(), said, 'an unknown card is told from a known one');
  await v.close();
  await person.close();
});

test('what is typed wrongly stands at its field', async () => {
  const v = await s.visitor();
  const { page } = v;
  await page.goto('/lookup');
  await fill(page, ['12', '31.02.1980']);
  assert.equal(await answered(page), 422);
  assert.equal(await page.locator('#document-why').count() + await page.locator('#born-why').count(), 2);
  assert.equal(await page.locator('#document').inputValue(), '12');
  await page.locator('.errors a').first().click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'document');
  await v.close();
});

test('every state, in every language and width', async () => {
  const v = await s.visitor();
  const { page } = v;
  await page.goto('/lookup');
  await look(v, 'the form');
  await page.goto('/lookup');
  assert.equal(await answered(page), 422);
  await look(v, 'the form, nothing filled in');
  // A proof is for one question: loaded again the page wants another, with what was typed.
  await ask(page, ['AZ7654321', '01.01.1980']);
  await look(v, 'nothing to show', () => answered(page));
  const long = await s.visitor({ lang: 'ru' });
  await ask(long.page, cards[people.citizen]);
  assert.equal(await heading(long.page), await text('ru', 'lookup.result.title'));
  await long.close();
  await ask(page, ['AZE06172938', '03.09.1961']);
  await look(v, 'a result', () => answered(page));
  await v.close();

  const none = await s.visitor();
  await signIn(none.page, people.nobody);
  await none.page.goto('/cabinet/lookup');
  await look(none, 'the switch, nobody asked');
  await none.close();

  // As without script: the form is sent and nobody has worked for it. (axe-core needs a browser that runs scripts.)
  const silent = await s.visitor();
  await silent.page.goto('/lookup');
  await fill(silent.page, ['AZ7654321', '01.01.1980']);
  await Promise.all([silent.page.waitForEvent('domcontentloaded'), silent.page.locator('#lookup').evaluate((form) => form.submit())]);
  assert.equal(await heading(silent.page), await text('az', 'lookup.sent.title'));
  await look(silent, 'sent to the telephone');
  await silent.close();
});
