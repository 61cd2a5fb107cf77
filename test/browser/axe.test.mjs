// Every page, in every language and state: accessible by axe-core's rules, no wider than a telephone, light, all of it
// translated, and asking nobody else for anything.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { bank, check, choose, confirm, draw, langs, people, root, scan, signIn, suite, unissuedCode } from './harness.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const s = suite({ before, after, prepare: history });

// reader is a visitor whose pages all have axe-core in them.
async function reader(lang) {
  const v = await s.visitor({ lang });
  await v.context.addInitScript(axe);
  return v;
}

// look examines the page that is open.
async function look(v, lang, what) {
  const { page } = v;
  const where = `${what} in ${lang} (${new URL(page.url()).pathname})`;
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(await violations(page), [], where);
  // 320 px wide, which is also what 1280 px are at a zoom of 400 %.
  await page.setViewportSize({ width: 320, height: 256 });
  assert.deepEqual(await violations(page, ['target-size', 'scrollable-region-focusable']), [], `${where} at 320 px`);
  const seen = await page.evaluate(() => {
    const window = document.documentElement.clientWidth, texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) if (!n.parentElement.closest('body [lang], .mono, pre')) texts.push(n.data.trim());
    return {
      texts, said: document.body.innerText, lang: document.documentElement.lang, headings: document.querySelectorAll('h1').length,
      tooWide: document.documentElement.scrollWidth - window,
      out: [...document.querySelectorAll('body *')]
        .filter((e) => !e.closest('pre, .aside, .skip, thead') && e.getBoundingClientRect().right > window + 1).map((e) => e.outerHTML.slice(0, 120)),
    };
  });
  assert.deepEqual(seen.out, [], `${where}: runs out of 320 px`);
  assert.ok(seen.tooWide <= 0, `${where}: ${seen.tooWide} px wider than 320 px`);
  assert.doesNotMatch(seen.said, /\b(web|verifier|issuer|registry|cabinet|message|problem|signin|demoprovider|demo)\.[a-z_]+([.-][a-z_]+)*\b(?!@)/, `${where}: a key instead of words`);
  assert.doesNotMatch(seen.said, /<no value>|%!|{{|undefined|NaN|01\.01\.0001/, `${where}: a hole in the text`);
  assert.equal(seen.lang, lang, where);
  assert.equal(seen.headings, 1, `${where}: one heading`);
  // What stands on the page as it stands in the files of another language only, unless it is marked as such.
  const others = langs.filter((l) => l !== lang);
  assert.deepEqual(seen.texts.filter((x) => !sentences[lang].has(x) && others.some((l) => sentences[l].has(x))), [], `${where}: words of another language`);
}

async function violations(page, only) {
  const found = await page.evaluate((rules) => window.axe.run(document, {
    runOnly: rules ?? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    rules: rules ? {} : { 'target-size': { enabled: true } }, resultTypes: ['violations'], preload: false,
  }).then((r) => r.violations.map((x) => `${x.id}: ${x.help}: ${x.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)), only);
  return found;
}

// sentences are all texts of a language, those of the pages and those of the documents.
const sentences = Object.fromEntries(await Promise.all(langs.map(async (lang) => {
  const all = new Set();
  const dirs = ['web/locale', 'templates/words', 'templates/examination/v1', 'templates/contract/v1'];
  for (const dir of dirs) {
    for (const f of await readdir(path.join(root, dir))) {
      if (!f.endsWith(`.${lang}.json`)) continue;
      for (const value of Object.values(JSON.parse(await readFile(path.join(root, dir, f), 'utf8')))) {
        if (typeof value === 'string' && value.length > 2) all.add(value);
      }
    }
  }
  return [lang, all];
})));

// history fills more than a page of every list.
async function history(s) {
  const basic = Buffer.from(`${s.demo.notes.client_id}:${s.demo.notes.secret}`).toString('base64');
  const grant = await fetch(`${s.demo.address}/oauth/token`, {
    method: 'POST', headers: { Authorization: `Basic ${basic}` }, body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = await grant.json();
  for (let i = 0; i < 55; i++) {
    const answer = await fetch(`${s.demo.address}/api/v1/checks`, {
      method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ code: s.demo.examples.valid.code, purpose: 'credit', note: `${i}-2026` }),
    });
    assert.ok(answer.ok, await answer.text());
  }
  const v = await s.visitor();
  await signIn(v.page, people.jobs);
  await v.page.goto('/cabinet/contracts');
  const number = (await v.page.locator('td a').first().getAttribute('href')).split('/').pop();
  for (let i = 0; i < 51; i++) {
    const answer = await v.context.request.post('/cabinet/excerpts', {
      headers: { 'Sec-Fetch-Site': 'same-origin' }, maxRedirects: 0,
      form: { key: randomBytes(10).toString('hex'), kind: 'contract', number, lang: 'az', validity: '30', recipient: `Bank ${i}` },
    });
    assert.equal(answer.status(), 303);
  }
  await v.close();
}

for (const lang of langs) {
  test(`the public pages in ${lang}`, async () => {
    const v = await reader(lang);
    const { page } = v;
    const open = async (what, address, status = 200) => {
      const answer = await page.goto(address);
      assert.equal(answer.status(), status, what);
      await look(v, lang, what);
    };
    await open('home', '/');
    await open('how', '/how');
    await open('privacy', '/privacy');
    await open('developers', '/developers');
    await open('the check', '/check');
    // A page that may be saved and opened without network, with a script of its own: the only one.
    await open('a check without network', '/check/offline');
    const text = await scan(s.demo.examples.valid.file);
    for (const [what, typed, mark] of [['genuine', text, '✓'], ['of another address', text.replace('/v/', '/w/v/'), '✕'], ['without a statement', text.split('#')[0], '✕']]) {
      await page.locator('#text').fill(typed);
      await page.locator('button').click();
      await page.locator('#answer h2', { hasText: mark }).waitFor();
      await look(v, lang, `a check without network, ${what}`);
    }
    await open('a code from a QR', `/v/${s.demo.examples.valid.code}`);
    await open('what is no code', '/v/7K2M', 422);
    await open('no such page', '/nothing', 404);
    await open('signed out', '/signin/out');
    await open('the callback of nothing', '/signin/callback', 400);
    await page.goto('/check');
    await page.locator('main form button').click();
    await look(v, lang, 'the check, nothing filled in');
    await page.locator('#code').fill('7K2M-9QXA-4TRC-W8HN-Z');
    await page.locator('main form button').click();
    await look(v, lang, 'the check, mistyped');
    for (const [verdict, example] of Object.entries(s.demo.examples)) {
      await check(page, verdict === 'altered' ? { file: example.file } : { code: example.code });
      await look(v, lang, verdict);
    }
    const picture = path.join(s.demo.dir, `${lang}.png`);
    await writeFile(picture, await page.screenshot());
    await check(page, { file: picture });
    await look(v, lang, 'a picture');
    await page.goto('/signin');
    await look(v, lang, 'who signs in');
    await page.locator('main form button').first().click();
    await look(v, lang, 'nobody signs in');
    await page.goto('/signin');
    await page.locator('button[name=cancel]').click();
    await page.waitForURL(/\/signin\/callback/);
    await look(v, lang, 'signing in was cancelled');
    await v.close();
  });

  test(`a citizen's pages in ${lang}`, async () => {
    const v = await reader(lang);
    const { page } = v;
    const open = async (what, address, status = 200) => {
      const answer = await page.goto(address);
      assert.equal(answer.status(), status, what);
      await look(v, lang, what);
    };
    await signIn(page, people.citizen);
    await look(v, lang, 'the cabinet');
    await open('examinations', '/cabinet/examinations');
    const examinations = await page.locator('td a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    await open('an examination', examinations[0]);
    await open('an earlier examination', examinations[1]);
    await open('none may be drawn from it', `/cabinet/excerpts/new?kind=examination&number=${examinations[1].split('/').pop()}`, 409);
    await open('jobs', '/cabinet/contracts');
    await page.locator('td a').first().click();
    await look(v, lang, 'a job');
    await page.locator('main a.button').first().click();
    await look(v, lang, 'a new excerpt');
    await page.locator('#recipient').fill('😀');
    await page.locator('#purpose').fill('x'.repeat(101));
    await page.locator('main form button').click();
    await page.locator('.errors').waitFor();
    await look(v, lang, 'a new excerpt with errors');
    await draw(page, 'contract', { lang, recipient: bank });
    await look(v, lang, 'an excerpt in force');
    await page.locator('a[href$="/withdraw"]').click();
    await look(v, lang, 'withdrawing');
    await open('history', '/cabinet/excerpts');
    const states = new Set();
    for (const row of await page.locator('tbody tr').all()) {
      const state = await row.locator('.tag').innerText();
      if (!states.has(state)) states.add(await row.locator('a').getAttribute('href'));
      states.add(state);
    }
    const paths = [...states].filter((x) => x.startsWith('/'));
    assert.equal(paths.length, 4, 'in force, expired, withdrawn, revoked');
    for (const p of paths) await open('an excerpt', p);
    await open('who checked mine', '/cabinet/checks-of-mine');
    await open('who checked mine, nothing of the kind', '/cabinet/checks-of-mine?kind=examination');
    await open('what I checked, nothing', '/cabinet/checked-by-me');
    await open('messages', '/cabinet/messages');
    if (lang === 'az') { // long lists differ from the next in nothing
      await page.locator('a[href*="before="]').click();
      await look(v, lang, 'messages, the next page');
    }
    await open('how messages come', '/cabinet/channel');
    await page.locator('input[name=channel][value=sms]').check();
    await page.locator('#phone').fill('012 493 00 20');
    await page.locator('main form button').first().click();
    await page.locator('.errors').waitFor();
    await look(v, lang, 'a number that takes no SMS');
    for (const [channel, field, address] of [['sms', '#phone', `050 123 45 6${langs.indexOf(lang)}`], ['email', '#email', `nermin.${lang}@example.az`]]) {
      await choose(page, channel, field, address, lang);
      await look(v, lang, `a code by ${channel}`);
      await page.locator('#code').fill('12');
      await page.locator('main form button').first().click();
      await page.locator('.errors').waitFor();
      await look(v, lang, 'what is no code');
      await page.goto(new URL(page.url()).pathname);
      await confirm(page);
      await look(v, lang, `${channel} is chosen`);
    }
    await open('what was sent', '/demo/sent');
    await open('messages that went out', '/cabinet/messages');
    await open('a code for nothing', '/cabinet/channel/999999', 404);
    await open('the check', '/check');
    await check(page, { code: s.demo.examples.superseded.code });
    await look(v, lang, 'an answer');
    await open('what I checked', '/cabinet/checked-by-me');
    await open("somebody else's excerpt", '/cabinet/excerpts/E-2026-9999999', 404);
    await v.close();
  });

  test(`other people's pages in ${lang}`, async () => {
    const as = async (name, options, addresses) => {
      const v = await reader(lang);
      await signIn(v.page, name, options);
      await look(v, lang, `the cabinet of ${name}`);
      for (const address of addresses) {
        await v.page.goto(address);
        await look(v, lang, `${address} as ${name}`);
      }
      return v;
    };
    await (await as(people.nobody, {}, ['examinations', 'contracts', 'excerpts', 'checks-of-mine', 'messages'].map((x) => `/cabinet/${x}`))).close();
    let v = await as(people.jobs, {}, ['/cabinet/contracts', '/cabinet/excerpts']);
    await v.page.locator('a[rel=next]').click();
    await look(v, lang, 'excerpts, the next page');
    const superseded = v.page.locator('tbody tr').filter({ has: v.page.locator('.tag.warn') });
    await superseded.first().locator('a').click();
    await look(v, lang, 'a superseded excerpt');
    await v.close();
    for (const name of [people.corrected, people.refused, people.long]) {
      v = await as(name, {}, ['/cabinet/examinations', '/cabinet/contracts']);
      for (const address of ['/cabinet/examinations', '/cabinet/contracts']) {
        await v.page.goto(address);
        if (await v.page.locator('td a').count() === 0) continue;
        await v.page.locator('td a').first().click();
        await look(v, lang, `an entry of ${name}`);
      }
      await v.close();
    }
    v = await as(people.clerk, { organisation: bank }, ['/check', '/cabinet/excerpts']);
    await check(v.page, { code: s.demo.examples.valid.code, note: '17-2026' });
    await look(v, lang, 'an answer to a bank');
    await v.page.goto('/check');
    await look(v, lang, "a bank's checks of today");
    await v.close();
    await (await as(people.manager, { organisation: bank }, ['/check', '/cabinet/checked-by-me'])).close();
  });
}

test('a first view is at most 50 KB, the style sheet 20 KB', async () => {
  for (const address of ['/', '/check', `/v/${s.demo.examples.valid.code}`, '/cabinet', '/cabinet/messages', '/cabinet/checks-of-mine']) {
    const v = await s.visitor();
    if (address.startsWith('/cabinet')) await signIn(v.page, people.citizen);
    const session = await v.context.newCDPSession(v.page);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    let all = 0;
    session.on('Network.loadingFinished', (e) => { all += e.encodedDataLength; });
    const style = v.page.waitForResponse(/style.*\.css/);
    await v.page.goto(address, { waitUntil: 'networkidle' });
    const { responseBodySize, responseHeadersSize } = await (await style).request().sizes();
    assert.ok(responseBodySize + responseHeadersSize <= 20 * 1024, `the style sheet has ${responseBodySize} bytes`);
    assert.ok(all > 5000 && all <= 50 * 1024, `${address} takes ${all} bytes`);
    await v.close();
  }
});

// The last one: it uses up this machine's guesses for a minute.
test('too many guesses', async () => {
  const v = await reader();
  await v.page.goto('/check');
  for (let i = 0; ; i++) {
    assert.ok(i < 25, 'guessing is never stopped');
    const answer = await v.context.request.post('/check', {
      headers: { 'Sec-Fetch-Site': 'same-origin' }, maxRedirects: 0, form: { code: unissuedCode(), purpose: 'credit' },
    });
    if (answer.status() === 429) break;
    assert.equal(answer.status(), 303);
  }
  for (const lang of langs) {
    await v.page.goto(`/check?lang=${lang}`);
    const code = unissuedCode();
    await v.page.locator('#code').fill(code);
    await v.page.locator('input[value=court]').check();
    const [answer] = await Promise.all([v.page.waitForResponse((r) => r.request().method() === 'POST'), v.page.locator('main form button').click()]);
    assert.equal(answer.status(), 429);
    assert.ok(Number(answer.headers()['retry-after']) > 0);
    await v.page.locator('.errors').waitFor();
    assert.equal(await v.page.locator('#code').inputValue(), code);
    await look(v, lang, 'too many guesses');
  }
  await v.close();
});
