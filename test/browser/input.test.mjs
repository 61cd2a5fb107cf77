// What people really type, choose, click and lose: every form with bad input, double clicks, reloading and going back, a
// lost connection, texts that would like to be a program, whoever only looks, wrong files, hand scanners.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  bank, check, drawn, kept, langs, list, pdfText, people, reasons, send, signIn, suite, text, unissuedCode, until,
} from './harness.mjs';

const market = 'Nümunə Market';
const s = suite({ before, after, prepare });
const contract = {}; // of the two citizens: numbers in the register

// prepare signs in a bank's clerk and two citizens, from whose contracts the tests draw.
async function prepare() {
  for (const [key, name] of [['citizen', people.citizen], ['jobs', people.jobs]]) {
    s[key] = await s.visitor();
    await signIn(s[key].page, name, { to: '/cabinet/contracts' });
    contract[key] = (await s[key].page.locator('td a').first().getAttribute('href')).split('/').pop();
  }
  s.clerk = await clerkOf(people.clerk, bank);
}

after(async () => {
  for (const key of ['citizen', 'jobs', 'clerk']) await s[key]?.close();
});

// another is one more window of somebody who is signed in.
async function another(key, lang) {
  const v = await s.visitor({ lang });
  await v.context.addCookies((await s[key].context.cookies()).filter((c) => c.name !== 'lang'));
  return v;
}

// clerkOf signs an organisation's clerk in.
async function clerkOf(name, organisation, lang) {
  const v = await s.visitor({ lang });
  await signIn(v.page, name, { organisation });
  return v;
}

// posted sends what a form of ours would send, without one.
const posted = (v, address, form) => v.context.request.post(address, { headers: { 'Sec-Fetch-Site': 'same-origin' }, maxRedirects: 0, form });

// excerpt draws one, quickly: its number and code.
async function excerpt(key = 'citizen') {
  const page = await (await s[key].context.request.get(`/cabinet/excerpts/new?kind=contract&number=${contract[key]}`)).text();
  const form = { key: /name="key" value="(\w+)"/.exec(page)[1], kind: 'contract', number: contract[key], lang: 'az', validity: '30' };
  const address = (await posted(s[key], '/cabinet/excerpts', form)).headers().location;
  for (let i = 0; ; i++) {
    const groups = /<p class="code-groups">(.*?)<\/p>/.exec(await (await s[key].context.request.get(address)).text());
    if (groups) return { number: address.split('/').pop(), code: groups[1].replaceAll(/<[^>]*>/g, '') };
    assert.ok(i < 100, `${address} is never made`);
  }
}

// checksOf counts the checks of an excerpt that its owner sees; drawnFor counts the excerpts that somebody drew for a recipient.
const checksOf = async (number, key = 'citizen') => (await list(s[key], '/cabinet/checks-of-mine.csv')).filter((row) => row.includes(number)).length;
const drawnFor = async (recipient, key = 'citizen') => (await (await s[key].context.request.get('/cabinet/excerpts')).text())
  .split('<tr>').filter((row) => row.includes(recipient)).length;

// form opens the form of a new excerpt as a person comes to it.
async function form(v, key = 'citizen') {
  await v.page.goto(`/cabinet/contracts/${contract[key]}`);
  await v.page.locator('main a.button[href*="/cabinet/excerpts/new"]').click();
  await v.page.locator('#recipient').waitFor();
}

// said is a problem's sentence, with a key of the locale files.
const said = (lang, [key, args]) => text(lang, `problem.${key}`, args);

// refused is how every form says what is wrong: the status, a summary whose lines lead to the fields, and each field's own
// sentence beside it, tied to it for who does not see. expected: by field, a sentence's key and arguments.
async function refused(v, lang, answer, expected, status = 422) {
  const { page } = v;
  const where = `${answer.url()} in ${lang}: ${Object.keys(expected)}`;
  const sentences = {};
  for (const [field, what] of Object.entries(expected)) sentences[field] = await said(lang, what);
  assert.equal(answer.status(), status, where);
  const page422 = await page.evaluate(() => {
    const wrong = (a) => {
      const id = a.getAttribute('href').slice(1), input = document.getElementById(id), group = input.type === 'radio' && input.closest('fieldset');
      const ids = ((group || input).getAttribute('aria-describedby') ?? '').split(' ');
      return [id, {
        summary: a.textContent, beside: input.closest('.field.error')?.querySelector('.why')?.innerText,
        described: ids.map((d) => document.getElementById(d)?.textContent).join(' '), marked: Boolean(group) || input.getAttribute('aria-invalid') === 'true',
      }];
    };
    const summary = document.querySelector('.errors[role=alert]');
    return {
      title: document.title, heading: summary?.querySelector('h2').innerText, whys: document.querySelectorAll('main .why').length,
      fields: Object.fromEntries([...summary?.querySelectorAll('a') ?? []].map(wrong)),
    };
  });
  assert.ok(page422.title.startsWith(`${await text(lang, 'web.title.error')}: `), where);
  assert.equal(page422.heading, await text(lang, 'web.errors'), where);
  assert.deepEqual(Object.keys(page422.fields), Object.keys(expected), where);
  assert.equal(page422.whys, Object.keys(expected).length, `${where}: nothing else is called wrong`);
  for (const [field, found] of Object.entries(page422.fields)) {
    assert.equal(found.summary, sentences[field], where);
    assert.ok(found.beside?.includes(sentences[field]), `${where}: ${field} says it beside itself`);
    assert.ok(found.described.includes(sentences[field]) && found.marked, `${where}: ${field} is described by it`);
    await page.locator(`.errors a[href="#${field}"]`).click();
    const { id, seen } = await page.evaluate(() => {
      const box = document.activeElement.getBoundingClientRect();
      return { id: document.activeElement.id, seen: box.top >= 0 && box.bottom <= innerHeight };
    });
    assert.equal(id, field, `${where}: the link leads to ${field}`);
    assert.ok(seen, `${where}: ${field} is seen`);
  }
}

// holds says what stands in fields: of a group, the value that is chosen.
async function holds(page, expected) {
  for (const [field, value] of Object.entries(expected)) {
    const is = typeof value === 'boolean' ? await page.locator(`#${field}`).isChecked()
      : await page.evaluate((n) => [...document.querySelectorAll(`main [name="${n}"]`)].find((e) => e.type !== 'radio' || e.checked)?.value, field);
    assert.equal(is, value, `${field} keeps what was typed`);
  }
}

// tamper changes a form as no page of ours lets anybody: the browser's own limits go, and values change.
const tamper = (page, values = {}) => page.evaluate((all) => {
  for (const e of document.querySelectorAll('main [maxlength]')) e.removeAttribute('maxlength');
  for (const [selector, value] of Object.entries(all)) document.querySelector(selector).value = value;
}, values);

// lose presses the button of a form while there is no connection.
async function lose(v) {
  await v.context.setOffline(true);
  await v.page.locator('main form button').first().click();
  await v.page.waitForURL('chrome-error://chromewebdata/');
  await v.context.setOffline(false);
}

// again presses "try again" on the browser's own page of errors; the browser may press it first, when there is a connection.
const again = (page) => page.reload().catch((e) => assert.match(e.message, /ERR_ABORTED|Not attached to an active page/));

// slowly makes the connection of a page answer late, so that something can happen while it waits.
async function slowly(v, what) {
  const session = await v.context.newCDPSession(v.page);
  await session.send('Network.enable');
  const connection = (offline, latency) => session.send('Network.emulateNetworkConditions', { offline, latency, downloadThroughput: -1, uploadThroughput: -1 });
  await connection(false, 10_000);
  await what(() => connection(true, 0));
  await connection(false, 0);
  await session.detach();
}

// loseAnswer presses the button, and the connection goes when the service has done it and the browser does not know yet.
async function loseAnswer(v, done) {
  await slowly(v, async (cut) => {
    await v.page.locator('main form button').first().click({ noWaitAfter: true });
    await until('the service hears it', done);
    await cut();
    await v.page.waitForURL('chrome-error://chromewebdata/');
  });
}

// twice sends the form on a page two times at once, as a browser does that does not hold the second click back, and
// then opens where both answers lead.
async function twice(v) {
  const { action, fields } = await v.page.evaluate(() => {
    const f = document.querySelector('main form');
    return { action: f.action, fields: Object.fromEntries([...new FormData(f)].filter(([, value]) => typeof value === 'string')) };
  });
  const answers = await Promise.all([posted(v, action, fields), posted(v, action, fields)]);
  const [first, second] = answers.map((a) => a.headers().location);
  assert.deepEqual(answers.map((a) => a.status()), [303, 303]);
  assert.equal(first, second, 'both lead to the same');
  assert.equal((await v.page.goto(first)).status(), 200);
}

describe('input', { concurrency: 3 }, () => {
  test('checking: each field says what is wrong with it, keeps what was typed, and nothing is recorded', async () => {
    const { number, code } = await excerpt();
    const letter = code.replace(/.$/, (c) => (c === '7' ? '8' : '7'));
    const cases = [
      [{}, { code: ['check.nothing'], purpose: ['purpose.missing'] }],
      [{ code: letter, purpose: 'court' }, { code: ['code.check'] }],
      [{ code, file: s.demo.examples.valid.file, purpose: 'benefit' }, { code: ['check.both'] }],
      [{ code: '7K2M-9QXA-4TRC-W8HU-R', purpose: 'court', note: '💰 17' }, { code: ['code.letter', { Letter: 'U' }], note: ['note.letter', { Letter: '💰' }] }],
      [{ code: '  -  ', purpose: 'other', note: '— ! —' }, { code: ['code.empty'], note: ['note.empty'] }],
      [{ code: '7'.repeat(3000), purpose: 'other', note: 'ə'.repeat(201) }, { code: ['code.length', { Count: 3000 }], note: ['note.length', { Max: 200 }] }],
      [{ code: `${s.demo.address}/v/${code}X`, purpose: 'other' }, { code: ['code.length', { Count: 18 }] }],
      [{ code, purpose: 'fun', note: 'müqavilə' }, { purpose: ['purpose.unknown'] }],
      [{ code, purpose: 'credit', note: 'a\u202eb' }, { note: ['note.letter', { Letter: 'U+202E' }] }],
    ];
    const openers = { az: () => clerkOf(people.employer, market, 'az'), en: () => s.visitor({ lang: 'en' }), ru: () => another('jobs', 'ru') };
    for (const lang of langs) {
      const v = await openers[lang]();
      for (const [typed, wrong] of lang === 'az' ? cases : cases.slice(0, 3)) { // only an organisation has the note
        const { file, ...texts } = typed;
        const { page } = v;
        await page.goto('/check');
        await tamper(page, typed.purpose === 'fun' ? { '#purpose': 'fun' } : {});
        for (const field of ['code', 'note']) if (texts[field]) await page.locator(`#${field}`).fill(texts[field]);
        if (file) await page.locator('#file').setInputFiles(file);
        if (texts.purpose) await page.locator(`input[name=purpose][value=${texts.purpose}]`).check();
        await refused(v, lang, await send(page), wrong);
        if (texts.purpose === 'fun') delete texts.purpose; // there is no such choice to keep
        await holds(page, texts);
      }
      if (lang === 'az') assert.deepEqual(await list(v, '/cabinet/checked-by-me.csv'), [], 'nothing is recorded');
      await v.close();
    }
    assert.equal(await checksOf(number), 0);
  });

  test('the address in the QR: without a purpose it is not checked; what is no code is put right by hand', async () => {
    const { number, code } = await excerpt();
    for (const lang of langs) {
      const v = await s.visitor({ lang });
      await v.page.goto(`/v/${code}`);
      await refused(v, lang, await send(v.page), { purpose: ['purpose.missing'] });
      assert.ok((await v.page.locator('main').innerText()).includes(code));
      const answer = await v.page.goto('/v/7K2M-9QXA');
      await refused(v, lang, answer, { code: ['code.length', { Count: 8 }] });
      await holds(v.page, { code: '7K2M-9QXA' });
      await v.page.locator('#code').fill(code);
      await refused(v, lang, await send(v.page), { purpose: ['purpose.missing'] });
      assert.equal(await checksOf(number), 0);
      await v.close();
    }
    const v = await s.visitor();
    await v.page.goto(`/v/${code}`);
    await v.page.locator('input[value=court]').check();
    assert.equal((await send(v.page)).status(), 303);
    assert.equal(await checksOf(number), 1, 'the count would have noticed');
    await v.close();
  });

  test('drawing: each field says what is wrong with it, keeps what was typed, and nothing is drawn', async () => {
    const long = 'ğ'.repeat(101), emoji = '😀 kredit';
    for (const lang of langs) {
      const v = await another('jobs', lang);
      const { page } = v;
      const cases = [
        [{ recipient: long, purpose: emoji }, {}, { recipient: ['excerpt.line_long', { Count: 101, Max: 100 }], purpose: ['excerpt.letters', { Letters: '😀' }] }],
        [{ recipient: `in ${lang} 漢a\u202eb`, purpose: 'p'.repeat(10_000) }, {},
          { recipient: ['excerpt.letters', { Letters: '漢 U+202E' }], purpose: ['excerpt.line_long', { Count: 10_000, Max: 100 }] }],
        [{ recipient: `in ${lang}`, purpose: 'təqaüd' }, { 'input[name=lang]:checked': 'xx', 'input[name=validity]:checked': '1000' }, { lang: ['lang.unknown'], validity: ['validity.unknown'] }],
      ];
      for (const [typed, forged, wrong] of lang === 'az' ? cases : cases.slice(1)) {
        await form(v, 'jobs');
        const chosen = { lang: 'ru', validity: '90' };
        for (const [name, value] of Object.entries(chosen)) await page.locator(`input[name=${name}][value="${value}"]`).check();
        await page.locator('#salary').check();
        for (const [name, value] of Object.entries(typed)) await page.locator(`#${name}`).fill(value);
        await tamper(page, forged);
        await refused(v, lang, await send(page), wrong);
        for (const name of Object.keys(chosen)) if (wrong[name]) delete chosen[name];
        await holds(page, { ...typed, ...chosen, salary: true });
      }
      // put right on the same page, it is drawn with all the rest
      for (const name of ['lang', 'validity']) await page.locator(`input[name=${name}]`).last().check();
      await page.locator('#recipient').fill(`right in ${lang}`);
      await send(page);
      await drawn(page);
      assert.ok((await page.locator('dl.facts').innerText()).includes(await text(lang, 'issuer.excerpt.salary.yes')));
      assert.equal(await drawnFor(`in ${lang}`, 'jobs'), 1, 'only what was right is drawn');
      // without its key, and from an entry of somebody else
      await form(v, 'jobs');
      await tamper(page, { 'input[name=key]': '' });
      assert.equal((await send(page)).status(), 422);
      assert.ok((await page.locator('.errors').innerText()).includes(await said(lang, ['excerpt.request_key'])));
      await tamper(page, { 'input[name=number]': contract.citizen });
      assert.equal((await send(page)).status(), 404);
      assert.ok((await page.locator('main').innerText()).includes(await said(lang, ['entry.unknown'])));
      await v.close();
    }
  });

  test("withdrawing somebody else's or a revoked one, acting for an organisation that is not one's own", async () => {
    const { number } = await excerpt();
    for (const lang of langs) {
      const v = await another('citizen', lang);
      const { page } = v;
      await page.goto('/cabinet/excerpts');
      const revoked = await page.locator('tbody tr').filter({ hasText: await text(lang, 'issuer.state.revoked') }).locator('a').getAttribute('href');
      for (const [action, status, key] of [[`${revoked}/withdraw`, 409, 'excerpt.revoked'], ['/cabinet/excerpts/E-2026-9999999/withdraw', 404, 'excerpt.missing']]) {
        await page.goto(`/cabinet/excerpts/${number}/withdraw`);
        await page.evaluate((to) => { document.querySelector('main form').action = to; }, action);
        assert.equal((await send(page)).status(), status);
        assert.ok((await page.locator('main').innerText()).includes(await said(lang, [key])));
      }
      await page.goto(`/cabinet/excerpts/${number}`);
      assert.ok((await page.locator('main').innerText()).includes(await text(lang, 'issuer.state.in_force')));
      await v.close();

      const clerk = await s.visitor({ lang });
      await signIn(clerk.page, people.clerk);
      const self = await clerk.page.locator('header nav a[href="/cabinet"]').innerText();
      for (const organisation of lang === 'az' ? ['999999', 'x', ''] : ['999999']) {
        await clerk.page.goto('/cabinet');
        await tamper(clerk.page, { 'input[name=organisation]': organisation });
        assert.equal((await send(clerk.page)).status(), 404);
        assert.ok((await clerk.page.locator('main').innerText()).includes(await said(lang, ['cabinet.no-member'])));
        await clerk.page.locator('main a').click(); // and the way on is there
        assert.equal(await clerk.page.locator('header nav a[href="/cabinet"]').innerText(), self, 'still for herself');
      }
      await clerk.close();
    }
  });

  test("the demonstration's sign-in says at the fields what is wrong, and keeps who was picked", async () => {
    for (const lang of langs) {
      const v = await s.visitor({ lang });
      const { page } = v;
      await page.goto('/signin');
      const go = () => send(page, page.locator('main form button').first());
      await refused(v, lang, await go(), { person: ['demoprovider.person'] });
      await tamper(page, { 'input[name=method]:checked': 'guess' });
      await refused(v, lang, await go(), { person: ['demoprovider.person'], method: ['demoprovider.method'] });
      const card = page.locator('label.card').filter({ hasText: people.clerk }).filter({ hasText: bank });
      await card.click();
      await page.locator('input[name=method][value=face]').check();
      const person = await card.locator('input').inputValue();
      await refused(v, lang, await go(), { method: ['demoprovider.organisation-signs'] });
      await holds(page, { person, method: 'face' });
      await page.goto('/cabinet');
      assert.match(page.url(), /\/demo-provider\/authorize/, 'nobody is signed in');
      await v.close();
    }
  });

  test('filters, places in lists and messages that there are not', async () => {
    for (const lang of langs) {
      const v = await another('citizen', lang);
      for (const [address, status, key] of [
        ['/cabinet/checks-of-mine?kind=award', 404, 'web.no-page'], ['/cabinet/checks-of-mine?after=x', 422, 'cursor.malformed'],
        ['/cabinet/checked-by-me?after=%22%3E%3Cb%3E', 422, 'cursor.malformed'], ['/cabinet/messages?before=x', 404, 'web.no-page'],
        ['/cabinet/excerpts?kind=award', 404, 'excerpt.kind'], ['/cabinet/excerpts?before=-1', 404, 'excerpt.missing'],
        ['/checked/0000-0000-0000-0000', 404, 'check.unknown'],
      ]) {
        assert.equal((await v.page.goto(address)).status(), status, address);
        assert.equal(await v.page.locator('main p.lead').innerText(), await said(lang, [key]), address);
        assert.ok(await v.page.locator('main a[href^="/"]').count() > 0, `${address}: there is a way on`);
      }
      await v.page.goto('/cabinet/messages');
      for (const selector of ['form[action$="/read"]', 'form[action*="/messages/"]:not([action$="/read"])']) {
        await v.page.goto('/cabinet/messages');
        await v.page.evaluate((which) => {
          const f = document.querySelector(which);
          if (f.elements.upto) f.elements.upto.value = 'x';
          else f.action = '/cabinet/messages/999999999';
        }, selector);
        assert.equal((await send(v.page, v.page.locator(`${selector} button`).first())).status(), 404);
        assert.equal(await v.page.locator('main p.lead').innerText(), await said(lang, ['cabinet.no-message']));
      }
      await v.close();
    }
  });

  test('a double click draws one excerpt, and checks once', async () => {
    const v = await another('citizen');
    await form(v);
    await v.page.locator('#recipient').fill('Two Clicks');
    await v.page.locator('main form button').dblclick();
    const { number, code } = await drawn(v.page);
    assert.equal(await drawnFor('Two Clicks'), 1);
    await form(v);
    await v.page.locator('#recipient').fill('Two At Once');
    await twice(v);
    assert.equal(await drawnFor('Two At Once'), 1);
    await v.close();

    const askers = { 'a bank': await another('clerk'), 'a person': await another('jobs'), 'nobody': await s.visitor() };
    let checks = 0;
    const once = async (what, page, act) => {
      await act();
      await page.waitForURL(/\/checked\//);
      assert.equal(await page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'), what);
      assert.equal(await checksOf(number), ++checks, `${what}: one check`);
    };
    for (const [who, asker] of Object.entries(askers)) {
      const { page } = asker;
      for (const [i, address] of ['/check', `/v/${code}`].entries()) {
        const fill = async () => {
          await page.goto(address);
          if (i === 0) await page.locator('#code').fill(code);
          await page.locator('input[value=court]').check();
        };
        const clicks = () => once(`${who}, two clicks at ${address}`, page, () => page.locator('main form button').dblclick());
        const both = () => once(`${who}, two at once at ${address}`, page, () => twice(asker));
        for (const act of i === 0 ? [both, clicks] : [both]) { // nobody's browser has no session yet at the first
          await fill();
          await act();
        }
      }
    }
    const { page } = askers['a bank']; // the form beside the answer
    await page.locator('#code').fill(code);
    await once('the next one', page, async () => {
      const before = page.url();
      await page.locator('main form button').dblclick();
      await page.waitForURL((u) => u.href !== before);
    });
    await page.locator('#code').fill(code);
    await once('the next one, two at once', page, () => twice(askers['a bank']));
    for (const asker of Object.values(askers)) await asker.close();
  });

  test('reloading and going back draw nothing and check nothing a second time', async () => {
    const v = await another('citizen');
    const { page } = v;
    await form(v);
    await page.locator('#recipient').fill('Back And Forth');
    await send(page);
    const { number, code } = await drawn(page);
    await page.reload();
    await page.goBack();
    assert.equal(await page.locator('#recipient').inputValue(), 'Back And Forth');
    await page.goForward();
    await page.reload();
    assert.equal(await drawnFor('Back And Forth'), 1);
    await page.goBack();
    await send(page);
    assert.equal((await drawn(page)).number, number, 'the same sent again is the same excerpt');
    assert.equal(await drawnFor('Back And Forth'), 1);
    await page.goBack();
    await page.locator('#purpose').fill('another');
    await send(page);
    assert.notEqual((await drawn(page)).number, number, 'something else is another');
    await v.close();

    for (const asker of [await another('clerk'), await s.visitor()]) {
      const was = await checksOf(number);
      await check(asker.page, { code, purpose: 'court' });
      const answer = asker.page.url();
      await asker.page.reload();
      await asker.page.goBack();
      await asker.page.locator('main form').waitFor();
      await asker.page.reload();
      await asker.page.goForward();
      assert.equal(asker.page.url(), answer);
      assert.equal(await asker.page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'));
      assert.equal(await checksOf(number), was + 1);
      // a page that was refused, sent again by reloading it
      await asker.page.goto('/check');
      await asker.page.locator('#code').fill('7K2M');
      assert.equal((await send(asker.page)).status(), 422);
      await asker.page.reload();
      assert.equal(await asker.page.locator('#code').inputValue(), '7K2M');
      assert.equal(await checksOf(number), was + 1);
      await asker.close();
    }
  });

  test('when the connection is lost while drawing, what was typed is there, and one excerpt comes of it', async () => {
    const v = await another('citizen');
    const { page } = v;
    const fill = async (recipient) => {
      await form(v);
      await page.locator('input[name=lang][value=ru]').check();
      await page.locator('input[name=validity][value="90"]').check();
      await page.locator('#recipient').fill(recipient);
      await page.locator('#purpose').fill('кредит');
      await page.locator('#salary').check();
      return { lang: 'ru', validity: '90', recipient, purpose: 'кредит', salary: true };
    };
    let typed = await fill('Lost Once');
    await lose(v);
    await page.goBack();
    await holds(page, typed);
    await lose(v);
    await page.goBack();
    await holds(page, typed);
    assert.equal(await drawnFor('Lost Once'), 0);
    await send(page);
    await drawn(page);
    assert.equal(await drawnFor('Lost Once'), 1);

    typed = await fill('Lost Again'); // and tried again by the browser's own button
    await lose(v);
    await again(page);
    await drawn(page);
    assert.equal(await drawnFor('Lost Again'), 1);

    typed = await fill('Lost Correction'); // after something was wrong
    await page.locator('#purpose').fill('😀');
    assert.equal((await send(page)).status(), 422);
    await page.locator('#purpose').fill('кредит');
    await lose(v);
    await again(page);
    await drawn(page);
    assert.equal(await drawnFor('Lost Correction'), 1);

    for (const [recipient, further] of [['Answer Lost', () => again(page)], ['Answer Gone', async () => {
      await page.goBack();
      await holds(page, typed);
      await send(page);
    }]]) {
      typed = await fill(recipient);
      await loseAnswer(v, async () => await drawnFor(recipient) === 1);
      await further();
      await drawn(page);
      assert.equal(await drawnFor(recipient), 1);
    }
    await v.close();
  });

  test('when the connection is lost while checking, what was typed is there, and one check comes of it', async () => {
    const { number, code } = await excerpt();
    const askers = [await another('clerk'), await another('jobs'), await s.visitor()];
    let checks = 0;
    for (const [i, v] of askers.entries()) {
      const { page } = v;
      const typed = { code, purpose: 'transport', ...(i === 0 ? { note: 'müqavilə 17' } : {}) };
      const fill = async (address = '/check') => {
        await page.goto(address);
        if (address === '/check') await page.locator('#code').fill(code);
        await page.locator('input[value=transport]').check();
        if (typed.note) await page.locator('#note').fill(typed.note);
      };
      await fill();
      await lose(v);
      await page.goBack();
      await holds(page, typed);
      assert.equal(await checksOf(number), checks);
      await send(page);
      assert.equal(await checksOf(number), ++checks);

      if (i === 0) {
        await fill();
        await lose(v);
        await again(page);
        await page.waitForURL(/\/checked\//);
        assert.equal(await checksOf(number), ++checks);
      }

      for (const address of i === 1 ? [] : ['/check', `/v/${code}`]) { // and the answer alone is lost
        await fill(address);
        await loseAnswer(v, async () => await checksOf(number) === checks + 1);
        checks++;
        await again(page);
        await page.waitForURL(/\/checked\//);
        assert.equal(await page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'));
        assert.equal(await checksOf(number), checks);
      }
      await v.close();
    }
    // A file that was chosen. That it comes back is the browser's doing, which seldom forgets it.
    const v = await s.visitor();
    for (let i = 1; ; i++) {
      await v.page.goto('/check');
      await v.page.locator('#file').setInputFiles(s.demo.examples.valid.file);
      await v.page.locator('input[value=transport]').check();
      await lose(v);
      await v.page.goBack();
      if (await v.page.locator('#file').inputValue() !== '' || i === 3) break;
    }
    assert.match(await v.page.locator('#file').inputValue(), /valid\.pdf$/);
    await send(v.page);
    assert.equal(await v.page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'));
    await v.close();
  });

  // S14
  test('texts that would like to be a program are texts: on pages, in the PDF, in spreadsheets', async () => {
    const v = await another('citizen');
    const clerk = await another('clerk');
    const inert = async (page, ...texts) => {
      const words = await page.locator('main').innerText();
      for (const x of texts) assert.ok(words.includes(x), `${page.url()} shows ${x}`);
      assert.equal(await page.locator('#injected, main script, main img, [onfocus], [onerror], script').count(), 0, `${page.url()}: something was made of it`);
    };
    const numbers = [], all = [];
    for (const [recipient, purpose] of [
      ['<b id=injected>Bank</b><script>alert(1)</script>', '"><img src=x onerror=alert(2) id=injected>'],
      ['\'" onfocus="alert(3)" autofocus x=\'', '=HYPERLINK("http://example.org";"x")'],
      ['{{.}} ${7*7} <!-- ]]> \\ %s', '+1+1;=1+1'],
      ['@SUM(A1:A9)', '-1 & <a id=injected href=javascript:alert(4)>'],
    ]) {
      await form(v);
      await v.page.locator('#recipient').fill(recipient);
      await v.page.locator('#purpose').fill(purpose);
      await send(v.page);
      const { number, code } = await drawn(v.page);
      numbers.push(number);
      await inert(v.page, recipient, purpose);
      const [download] = await Promise.all([v.page.waitForEvent('download'), v.page.locator('a[href$="/pdf"]').click()]);
      const pdf = (await pdfText(await kept(s, download))).replaceAll(/\s/g, '');
      for (const x of [recipient, purpose]) assert.ok(pdf.includes(x.replaceAll(/\s/g, '')), `the PDF shows ${x}: ${pdf}`);
      for (const note of [recipient, purpose]) {
        await check(clerk.page, { code, note });
        await inert(clerk.page, note);
      }
      all.push(recipient, purpose);
    }
    for (const [who, address, texts] of [
      [clerk, '/check', all], [clerk, '/cabinet/checked-by-me', all], [v, '/cabinet/checks-of-mine', all], [v, '/cabinet/excerpts', all], [v, '/cabinet', []],
      [v, '/cabinet/messages', []],
    ]) {
      await who.page.goto(address);
      await inert(who.page, ...texts);
    }
    for (const [who, address] of [[v, '/cabinet/checks-of-mine.csv'], [clerk, '/cabinet/checked-by-me.csv']]) {
      const rows = (await list(who, address)).filter((row) => numbers.some((n) => row.includes(n)));
      assert.equal(rows.length, 8, address);
      assert.ok(rows.flat().some((cell) => cell.includes('HYPERLINK')), 'the texts are there');
      // Where semicolons divide cells, as here and in Russia, each part is one.
      for (const cell of rows.flat().flatMap((c) => [c, ...c.split(';')])) assert.doesNotMatch(cell, /^[\s"]*[=+\-@]/, `${address}: ${cell}`);
    }
    // what a form does not take comes back inert as well
    for (const typed of ['"><script id=injected>alert(5)</script>', '\'" onfocus="alert(6)" autofocus x=\'']) {
      await clerk.page.goto('/check');
      await clerk.page.locator('#code').fill(typed);
      assert.equal((await send(clerk.page)).status(), 422);
      await holds(clerk.page, { code: typed });
      await inert(clerk.page);
      assert.equal((await clerk.page.goto(`/v/${encodeURIComponent(typed.replaceAll('/', ''))}`)).status(), 422);
      await inert(clerk.page);
      await form(v);
      await v.page.locator('#recipient').fill(`${typed}\u202e`);
      await v.page.locator('#purpose').fill(`${typed}\u200b`);
      assert.equal((await send(v.page)).status(), 422);
      await holds(v.page, { recipient: `${typed}\u202e`, purpose: `${typed}\u200b` });
      await inert(v.page);
    }
    await v.close();
    await clerk.close();
  });

  test('whoever only looks at the address in the QR is not recorded: a page, HEAD, a prefetch, a preview in a chat', async () => {
    const { number, code } = await excerpt();
    const v = await s.visitor(), clerk = await another('clerk');
    const guises = [
      {}, { 'Sec-Purpose': 'prefetch' }, { 'Sec-Purpose': 'prefetch;prerender', Purpose: 'prefetch' }, { 'X-Moz': 'prefetch' }, { 'User-Agent': 'WhatsApp/2.23' },
      { 'User-Agent': 'TelegramBot (like TwitterBot)' }, { 'User-Agent': 'facebookexternalhit/1.1' }, { 'User-Agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' },
    ];
    for (const address of [`/v/${code}`, `/v/${code.replaceAll('-', '').toLowerCase()}`, `/v/${code}?purpose=credit&key=${'K'.repeat(26)}`, `/check?code=${code}&purpose=credit`]) {
      for (const who of [v, clerk]) {
        assert.equal((await who.page.goto(address)).status(), 200);
        await who.page.reload();
        for (const method of ['GET', 'HEAD']) {
          for (const headers of address === `/v/${code}` ? guises : [{}]) {
            const answer = await who.context.request.fetch(address, { method, headers });
            assert.equal(answer.status(), 200, `${method} ${address}`);
            const body = await answer.text();
            assert.ok(!/Quliyeva|Q\. ?N|····/.test(body), 'and nothing of the excerpt is said');
          }
        }
      }
    }
    assert.equal(await checksOf(number), 0);
    await v.page.goto(`/v/${code}`);
    await v.page.locator('input[value=court]').check();
    await send(v.page);
    assert.equal(await checksOf(number), 1, 'the count would have noticed');
    const answer = v.page.url();
    for (const method of ['GET', 'HEAD']) assert.equal((await v.context.request.fetch(answer, { method })).status(), 200);
    assert.equal(await checksOf(number), 1, 'reading the answer again is no check');
    await v.close();
    await clerk.close();
  });

  test('wrong files: nothing chosen, empty, not a PDF, a picture, 21 MB; the form goes on with the right one', async () => {
    const make = async (name, content) => {
      const file = path.join(s.demo.dir, name);
      await writeFile(file, content);
      return file;
    };
    const empty = await make('empty.pdf', ''), letter = await make('letter.pdf', 'Hörmətli bank, bu mənim arayışımdır.');
    const huge = await make('huge.pdf', Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(21 << 20, 'x')]));
    for (const lang of langs) {
      const v = await s.visitor({ lang });
      const { page } = v;
      const picture = await make(`photo-${lang}.jpg`, await page.screenshot({ type: 'jpeg' }));
      const upload = async (file) => {
        await page.locator('#file').setInputFiles(file);
        return send(page);
      };
      await page.goto('/check');
      await page.locator('input[value=benefit]').check();
      await refused(v, lang, await send(page), { code: ['check.nothing'] });
      await holds(page, { purpose: 'benefit' });
      await refused(v, lang, await upload(empty), { file: ['file.empty'] });
      await holds(page, { purpose: 'benefit' });
      if (lang === 'az') await refused(v, lang, await upload(huge), { file: ['file.too_large', { Megabytes: 20 }] }, 413);
      await page.locator('input[value=benefit]').check(); // and straight on from there
      assert.equal((await upload(s.demo.examples.valid.file)).status(), 303);
      assert.equal(await page.locator('.verdict h1').innerText(), await text(lang, 'verifier.verdict.valid'));
      for (const [file, reason] of [[letter, 'unknown.not_pdf'], [picture, 'unknown.picture']]) {
        await page.goto('/check');
        await page.locator('input[value=benefit]').check();
        assert.equal((await upload(file)).status(), 303);
        assert.equal(await page.locator('.verdict h1').innerText(), await text(lang, 'verifier.verdict.unknown'));
        assert.deepEqual(await reasons(lang, 'unknown', await page.locator('.verdict p').innerText()), [reason]);
        assert.equal(await page.locator('p.lead').innerText(), await text(lang, `verifier.reason.${reason}.next`));
      }
      await v.close();
    }
  });

  test('a hand scanner, and codes as people write them', async () => {
    const codes = [];
    while (!['0', '1'].every((c) => codes.some(({ code }) => code.includes(c)))) {
      assert.ok(codes.length < 60, 'no code has a 0 and none a 1');
      codes.push(await excerpt('jobs'));
    }
    const with0 = codes.find(({ code }) => code.includes('0')), with1 = codes.find(({ code }) => code.includes('1'));
    const plain = (x) => ({ ...x, code: x.code.replaceAll('-', '') });
    const cases = [
      ...[
        `${s.demo.address}/v/${plain(with0).code}`, `${s.demo.address}/v/${with0.code}`.toUpperCase(), `  ${s.demo.address}/v/${with0.code}?lang=ru `,
        `tesdiq.example/v/${plain(with0).code.toLowerCase()}#x`,
      ].map((typed) => [typed, with0, 'qr']),
      ...[
        with0.code, plain(with0).code.toLowerCase(), [...plain(with0).code].join(' '), ` ${with0.code.replaceAll('-', ' - ')}  `, with0.code.replaceAll('-', '—'),
        with0.code.replaceAll('-', '\u00a0'), with0.code.replaceAll('0', 'O'), with0.code.toLowerCase().replaceAll('0', 'o'),
      ].map((typed) => [typed, with0, 'code']),
      ...['I', 'l', 'L', 'i', 'ı', 'İ'].map((one) => [with1.code.replaceAll('1', one), with1, 'code']),
    ];
    const v = await clerkOf(people.clerk, bank);
    const { page } = v;
    await page.goto('/check');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'code');
    await page.locator('input[value=employment]').check();
    await page.locator('#code').focus();
    for (const [typed, { number }, way] of cases) {
      // hands off the mouse: the field has the focus, on the first page and beside each answer
      assert.equal(await page.evaluate(() => document.activeElement.id), 'code');
      const before = page.url();
      await page.keyboard.insertText(typed);
      await page.keyboard.press('Enter');
      await page.waitForURL((u) => u.pathname.startsWith('/checked/') && u.href !== before);
      const words = await page.locator('main').innerText();
      assert.ok(words.includes(number), `${typed} is ${number}`);
      assert.ok(words.includes(await text('az', `verifier.way.${way}`)) && words.includes(await text('az', 'verifier.purpose.employment')), typed);
    }
    // a letter that is not there, an end that is missing: the scanner goes on where it was
    for (const [typed, wrong] of [[with0.code.replace(/.$/, 'U'), ['code.letter', { Letter: 'U' }]], [`${s.demo.address}/v/${with0.code.slice(0, -2)}`, ['code.length', { Count: 16 }]]]) {
      await page.locator('#code').fill(typed);
      await refused(v, 'az', await send(page), { code: wrong });
      await holds(page, { code: typed, purpose: 'employment' });
    }
    await page.locator('#code').fill(unissuedCode());
    await send(page);
    assert.equal(await page.locator('h1').innerText(), await text('az', 'verifier.verdict.unknown'));
    for (const { number } of codes) {
      assert.equal(await checksOf(number, 'jobs'), cases.filter(([, x]) => x.number === number).length, `checks of ${number}`);
    }
    await v.close();
  });
});
