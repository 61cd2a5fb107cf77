// Every page, in every state: accessible, no wider than a telephone, light, all of it translated (look.mjs), and asking
// nobody else for anything (harness.mjs).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bank, check, choose, confirm, cores, draw, people, scan, send, signIn, suite, unissuedCode } from './harness.mjs';
import { look } from './look.mjs';

const s = suite({ before, after, prepare: history });

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

// opener goes to an address, sees its status and looks at it.
const opener = (v) => async (what, address, status = 200) => {
  const answer = await v.page.goto(address);
  assert.equal(answer.status(), status, what);
  await look(v, what);
};

// as signs somebody in and looks at addresses.
async function as(name, options, addresses) {
  const v = await s.visitor();
  await signIn(v.page, name, options);
  await look(v, `the cabinet of ${name}`);
  for (const address of addresses) {
    await v.page.goto(address);
    await look(v, `${address} as ${name}`);
  }
  return v;
}

describe('pages', { concurrency: cores }, () => {
  test('for everybody', async () => {
    const v = await s.visitor();
    const { page } = v;
    const open = opener(v);
    await open('home', '/');
    await open('how', '/how');
    await open('privacy', '/privacy');
    await open('developers', '/developers');
    await open('the check', '/check');
    // A page that may be saved and opened without network, with a script of its own: the only one.
    await open('a check without network', '/check/offline');
    const typed = await scan(s.demo.examples.valid.file);
    for (const [what, t, mark] of [['genuine', typed, '✓'], ['of another address', typed.replace('/v/', '/w/v/'), '✕'], ['without a statement', typed.split('#')[0], '✕']]) {
      const judge = async () => {
        await page.locator('#text').fill(t);
        await page.locator('button').click();
        await page.locator('#answer h2', { hasText: mark }).waitFor();
      };
      await judge();
      await look(v, `a check without network, ${what}`, judge);
    }
    await open('a code from a QR', `/v/${s.demo.examples.valid.code}`);
    await open('what is no code', '/v/7K2M', 422);
    await open('no such page', '/nothing', 404);
    await open('signed out', '/signin/out');
    await open('the callback of nothing', '/signin/callback', 400);
    await open('the draws', '/draws');
    await v.close();
  });

  test('of checking', async () => {
    const v = await s.visitor();
    const { page } = v;
    await page.goto('/check');
    await page.locator('main form button').click();
    await look(v, 'the check, nothing filled in');
    await page.locator('#code').fill('7K2M-9QXA-4TRC-W8HN-Z');
    await page.locator('main form button').click();
    await look(v, 'the check, mistyped');
    for (const [verdict, example] of Object.entries(s.demo.examples)) {
      await check(page, verdict === 'altered' ? { file: example.file } : { code: example.code });
      await look(v, verdict);
    }
    const picture = path.join(s.demo.dir, 'page.png');
    await writeFile(picture, await page.screenshot());
    await check(page, { file: picture });
    await look(v, 'a picture');
    await page.goto('/signin');
    await look(v, 'who signs in');
    await page.locator('main form button').first().click();
    await look(v, 'nobody signs in');
    await page.goto('/signin');
    await page.locator('button[name=cancel]').click();
    await page.waitForURL(/\/signin\/callback/);
    await look(v, 'signing in was cancelled');
    await v.close();
  });

  test('of a citizen', async () => {
    const v = await s.visitor();
    const { page } = v;
    const open = opener(v);
    await signIn(page, people.citizen);
    await look(v, 'the cabinet');
    await open('examinations', '/cabinet/examinations');
    const examinations = await page.locator('td a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    await open('an examination', examinations[0]);
    await open('an earlier examination', examinations[1]);
    await open('none may be drawn from it', `/cabinet/excerpts/new?kind=examination&number=${examinations[1].split('/').pop()}`, 409);
    await open('jobs', '/cabinet/contracts');
    await page.locator('td a').first().click();
    await look(v, 'a job');
    await page.locator('main a.button').first().click();
    await look(v, 'a new excerpt');
    await page.locator('#recipient').fill('😀');
    await page.locator('#purpose').fill('x'.repeat(101));
    await page.locator('main form button').click();
    await page.locator('.errors').waitFor();
    await look(v, 'a new excerpt with errors');
    await draw(page, 'contract', { recipient: bank });
    await look(v, 'an excerpt in force');
    await page.locator('a[href$="/withdraw"]').click();
    await look(v, 'withdrawing');
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
    await open('the check', '/check');
    await check(page, { code: s.demo.examples.superseded.code });
    await look(v, 'an answer');
    await open('what I checked', '/cabinet/checked-by-me');
    await open("somebody else's excerpt", '/cabinet/excerpts/E-2026-9999999', 404);
    await v.close();
  });

  test('of messages', async () => {
    const v = await s.visitor();
    const { page } = v;
    const open = opener(v);
    await signIn(page, people.citizen);
    await open('messages', '/cabinet/messages');
    await page.locator('a[href*="before="]').click();
    await look(v, 'messages, the next page');
    await open('how messages come', '/cabinet/channel');
    await page.locator('input[name=channel][value=sms]').check();
    await page.locator('#phone').fill('012 493 00 20');
    await page.locator('main form button').first().click();
    await page.locator('.errors').waitFor();
    await look(v, 'a number that takes no SMS');
    for (const [channel, field, address, to] of [['sms', '#phone', '050 123 45 67', '+994501234567'], ['email', '#email', 'nermin@example.az', 'nermin@example.az']]) {
      await choose(page, channel, field, address, 'az');
      await look(v, `a code by ${channel}`);
      await page.locator('#code').fill('12');
      await page.locator('main form button').first().click();
      await page.locator('.errors').waitFor();
      const form = page.url();
      await look(v, 'what is no code');
      await page.goto(new URL(form).pathname);
      await confirm(page, to);
      await look(v, `${channel} is chosen`);
    }
    await open('what was sent', '/demo/sent');
    await open('messages that went out', '/cabinet/messages');
    await open('a code for nothing', '/cabinet/channel/999999', 404);
    await v.close();
  });

  test('of people with other entries, and none', async () => {
    await (await as(people.nobody, {}, ['examinations', 'contracts', 'excerpts', 'checks-of-mine', 'messages', 'cases'].map((x) => `/cabinet/${x}`))).close();
    let v = await as(people.jobs, {}, ['/cabinet/contracts', '/cabinet/excerpts']);
    await v.page.locator('a[rel=next]').click();
    await look(v, 'excerpts, the next page');
    const superseded = v.page.locator('tbody tr').filter({ has: v.page.locator('.tag.warn') });
    await superseded.first().locator('a').click();
    await look(v, 'a superseded excerpt');
    await v.close();
    for (const name of [people.corrected, people.refused, people.long]) {
      v = await as(name, {}, []);
      for (const address of ['/cabinet/examinations', '/cabinet/contracts']) {
        await v.page.goto(address);
        await look(v, `${address} as ${name}`);
        if (await v.page.locator('td a').count() === 0) continue;
        await v.page.locator('td a').first().click();
        await look(v, `an entry of ${name}`);
      }
      await v.close();
    }
  });

  test('of an organisation', async () => {
    const v = await as(people.clerk, { organisation: bank }, ['/check', '/cabinet/excerpts']);
    await check(v.page, { code: s.demo.examples.valid.code, note: '17-2026' });
    await look(v, 'an answer to a bank');
    await v.page.goto('/check');
    await look(v, "a bank's checks of today");
    await v.close();
    await (await as(people.manager, { organisation: bank }, ['/check', '/cabinet/checked-by-me'])).close();
  });
});

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
  const v = await s.visitor();
  await v.page.goto('/check');
  for (let i = 0; ; i++) {
    assert.ok(i < 25, 'guessing is never stopped');
    const answer = await v.context.request.post('/check', {
      headers: { 'Sec-Fetch-Site': 'same-origin' }, maxRedirects: 0, form: { code: unissuedCode(), purpose: 'credit' },
    });
    if (answer.status() === 429) break;
    assert.equal(answer.status(), 303);
  }
  await v.page.goto('/check');
  const code = unissuedCode();
  await v.page.locator('#code').fill(code);
  await v.page.locator('input[value=court]').check();
  const answer = await send(v.page);
  assert.equal(answer.status(), 429);
  assert.ok(Number(answer.headers()['retry-after']) > 0);
  await v.page.locator('.errors').waitFor();
  assert.equal(await v.page.locator('#code').inputValue(), code);
  await look(v, 'too many guesses');
  await v.close();
});
