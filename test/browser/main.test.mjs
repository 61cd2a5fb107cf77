// The main job in a browser: a citizen draws excerpts, a bank checks them, the citizen sees who checked.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  bank, check, draw, drawn, kept, langs, pdfText, people, printedPages, reasons, scan, signIn, suite, text,
} from './harness.mjs';

const s = suite({ before, after });

test('each of the four methods signs in, and signing out ends the session at the server', async () => {
  for (const method of ['e-signature', 'face', 'number', 'token']) {
    const v = await s.visitor();
    await v.page.goto('/check');
    const before = await v.context.cookies();
    await signIn(v.page, people.citizen, { method });
    assert.equal(await v.page.locator('h1').innerText(), await text('az', 'cabinet.greeting.f', { Given: 'Nərmin' }));
    const session = (await v.context.cookies()).find((c) => c.httpOnly && !before.some((b) => b.name === c.name && b.value === c.value));
    assert.ok(session, 'a new session after signing in');
    assert.equal(session.sameSite, 'Lax');
    await v.page.getByRole('button', { name: await text('az', 'web.sign-out') }).click();
    await v.page.waitForURL(/\/signin\/out/);
    await v.context.addCookies([session]); // somebody kept it
    await v.page.goto('/cabinet');
    assert.match(v.page.url(), /\/demo-provider\/authorize/);
    await v.close();
  }
});

test('a citizen draws, a bank checks in every way, the citizen sees it, the manager sees the clerk', async (t) => {
  const citizen = await s.visitor();
  const clerk = await s.visitor();
  const drawnOnes = {};
  let file;

  await t.test('the citizen finds the examination and draws an excerpt in Russian', async () => {
    const { page } = citizen;
    await signIn(page, people.citizen, { to: '/cabinet/examinations' });
    await page.locator('td a').first().click();
    assert.match(await page.locator('dl.facts').innerText(), /61–80/);
    drawnOnes.disability = await draw(page, 'examination', { lang: 'ru', recipient: bank, purpose: 'на кредит' });
    const download = page.waitForEvent('download');
    await page.locator('a[href$="/pdf"]').click();
    file = await kept(s, await download);
    assert.equal(path.basename(file), `tesdiq-${drawnOnes.disability.number}.pdf`); // says nothing of its kind
    assert.equal((await readFile(file)).subarray(0, 5).toString(), '%PDF-');
    const words = await pdfText(file);
    for (const expected of ['инвалидност', 'Quliyeva', '5NQ7K2M', 'на кредит', drawnOnes.disability.code]) assert.ok(words.includes(expected), `the excerpt says ${expected}`);
  });

  await t.test('and certificates of the workplace, without the salary and with it', async () => {
    drawnOnes.without = await draw(citizen.page, 'contract');
    drawnOnes.with = await draw(citizen.page, 'contract', { salary: true, validity: '90' });
    assert.notEqual(drawnOnes.without.code, drawnOnes.with.code);
  });

  await t.test('the clerk checks by code; the salary stands only where it was ticked; the purpose is kept', async () => {
    const { page } = clerk;
    await signIn(page, people.clerk, { organisation: bank });
    await check(page, { code: drawnOnes.without.code.toLowerCase().replaceAll('-', ' '), purpose: 'employment', note: 'müqavilə 17' });
    assert.equal(await page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'));
    const facts = page.locator('dl.facts').first();
    assert.match(await facts.innerText(), /Quliyeva Nərmin Əli qızı/);
    assert.doesNotMatch(await facts.innerText(), /820,00/);
    await page.goto('/check');
    assert.ok(await page.locator('input[name=purpose][value=employment]').isChecked());
    await check(page, { code: drawnOnes.with.code, purpose: 'credit' });
    assert.match(await facts.innerText(), /1\s820,00\s₼/);
    assert.equal(await printedPages(s, page), 1, 'a verdict prints on one page');
  });

  await t.test('by a hand scanner, which types the whole address and Enter, with the hands off the mouse', async () => {
    const { page } = clerk;
    const address = await scan(file);
    // Behind the address stands the signed statement, which a hand-held scanner types too.
    assert.match(address, new RegExp(`^${s.demo.address}/v/${drawnOnes.disability.code.replaceAll('-', '')}#[A-Z2-7]{200,}$`));
    await page.goto('/check');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'code');
    await page.keyboard.type(address);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/checked\//);
    assert.match(await page.locator('main').innerText(), new RegExp(drawnOnes.disability.number));
    // and the next one right beside the answer
    assert.equal(await page.evaluate(() => document.activeElement.id), 'code');
    const first = page.url();
    await page.keyboard.type(address);
    await page.keyboard.press('Enter');
    await page.waitForURL((u) => /\/checked\//.test(u.pathname) && u.href !== first);
  });

  await t.test('by the address in the QR, and by the file', async () => {
    const { page } = clerk;
    await page.goto(await scan(file));
    assert.equal(await page.locator('h1').innerText(), await text('az', 'verifier.qr.title'));
    await page.locator('main form button').click();
    await page.waitForURL(/\/checked\//);
    assert.match(await page.locator('main').innerText(), new RegExp(await text('az', 'verifier.way.qr')));
    await check(page, { file });
    assert.match(await page.locator('.verdict').innerText(), new RegExp(await text('az', 'verifier.reason.valid.file.text')));
    await page.goto('/check');
    const today = page.locator('table');
    assert.equal(await today.locator('tbody tr').count(), 6);
    for (const row of await today.locator('tbody tr').allInnerTexts()) assert.match(row, new RegExp(await text('az', 'web.verdict.valid')));
  });

  await t.test('the citizen sees the organisation, when, what for, and not the clerk', async () => {
    const { page } = citizen;
    await page.goto('/cabinet/checks-of-mine');
    const all = page.locator('.days > li');
    assert.equal(await all.count(), 6);
    const rows = await page.locator('main').innerText();
    assert.ok(rows.includes(bank) && rows.includes('müqavilə 17') && rows.includes(await text('az', 'verifier.purpose.employment')));
    assert.doesNotMatch(rows, /Aysel|Həsənova/);
    assert.match(await all.first().locator('time').innerText(), /^\d\d\.\d\d\.\d{4}, \d\d:\d\d$/);
    await page.locator('.filter a[href$="kind=examination"]').click();
    assert.equal(await all.count(), 4);
    await page.goto('/cabinet/messages');
    const told = page.locator('.days > li').filter({ hasText: await text('az', 'message.check.title') }).first();
    assert.ok((await told.innerText()).includes(bank));
    await told.getByRole('button').click();
    await page.waitForURL(/\/cabinet\/checks-of-mine/);
  });

  await t.test('the manager sees what the clerk checked; a clerk of another organisation nothing', async () => {
    const manager = await s.visitor();
    await signIn(manager.page, people.manager, { organisation: bank });
    await manager.page.goto('/cabinet/checked-by-me');
    assert.equal(await manager.page.locator('tbody tr').count(), 6);
    for (const row of await manager.page.locator('tbody tr').allInnerTexts()) assert.match(row, /Aysel Həsənova/);
    await manager.close();
    const other = await s.visitor();
    await signIn(other.page, people.employer, { organisation: 'Nümunə Market' });
    await other.page.goto('/cabinet/checked-by-me');
    assert.equal(await other.page.locator('tbody tr').count(), 0);
    const answer = await other.page.goto(new URL(clerk.page.url()).pathname.replace('/check', `/checked/${'0'.repeat(16)}`));
    assert.equal(answer.status(), 404);
    await other.close();
  });

  await t.test('once withdrawn, the check says so and shows nothing of it', async () => {
    const { page } = citizen;
    await page.goto(`/cabinet/excerpts/${drawnOnes.without.number}/withdraw`);
    await page.locator('main form button').click();
    await page.waitForURL(new RegExp(`/${drawnOnes.without.number}$`));
    await check(clerk.page, { code: drawnOnes.without.code });
    assert.equal(await clerk.page.locator('h1').innerText(), await text('az', 'verifier.verdict.withdrawn'));
    const said = await clerk.page.locator('main').innerText();
    for (const never of ['Quliyeva', '5NQ7K2M', 'Nümunə Market', 'mühasib', drawnOnes.without.number]) assert.ok(!said.includes(never), `${never} of a withdrawn excerpt`);
    // nor does what was answered before
    await clerk.page.goto('/cabinet/checked-by-me');
    assert.ok(!(await clerk.page.locator('main').innerText()).includes(drawnOnes.without.number));
  });

  await citizen.close();
  await clerk.close();
});

test('every verdict, by code and by file, in three languages: the word, the mark, why, and what to do next', async () => {
  // What no excerpt of ours is: a page that a browser printed.
  const printed = path.join(s.demo.dir, 'printed-again.pdf');
  const helper = await s.visitor();
  await helper.page.goto('/how');
  await writeFile(printed, await helper.page.pdf());
  await helper.close();
  const mark = { valid: '✓', superseded: '!', expired: '!', withdrawn: '!', revoked: '✕', altered: '✕', unknown: '?' };
  for (const lang of langs) {
    const v = await s.visitor({ lang });
    for (const [verdict, example] of Object.entries(s.demo.examples)) {
      const questions = [
        ...(verdict === 'altered' ? [] : [{ code: example.code }]),
        { file: verdict === 'unknown' ? printed : example.file },
      ];
      for (const q of questions) {
        const what = `${verdict} by ${Object.keys(q)[0]} in ${lang}`;
        await check(v.page, q);
        assert.equal(await v.page.locator('.verdict h1').innerText(), await text(lang, `verifier.verdict.${verdict}`), what);
        assert.equal(await v.page.locator('.verdict > svg').count(), 1, what);
        const [reason] = await reasons(lang, verdict, await v.page.locator('.verdict p').innerText());
        assert.ok(reason, `${what}: a reason`);
        assert.equal(await v.page.locator('p.lead').innerText(), await text(lang, `verifier.reason.${reason}.next`), what);
        const facts = await v.page.locator('dl.facts').count();
        assert.equal(facts, ['withdrawn', 'unknown'].includes(verdict) ? 1 : 2, `${what}: facts beside the record`);
        if (facts === 2) {
          const said = await v.page.locator('dl.facts').first().innerText();
          // A revoked excerpt is named; that what it said was ever so, nobody says any more.
          assert.equal(said.includes('Nümunə Market') || said.includes('Örnək Kollec'), verdict !== 'revoked', what);
          assert.match(said, /E-\d{4}-\d{7}/, what);
          assert.ok(!/Quliyeva|Kərimov|5NQ7K2M|4CM9J7S/.test(said), `${what}: masked for somebody who is not signed in`);
        }
        if (lang === 'az') assert.equal(await printedPages(s, v.page), 1, what);
      }
    }
    await v.page.goto('/how');
    for (const tag of await v.page.locator('.tag').allInnerTexts()) assert.ok(Object.values(mark).includes(tag.trim()[0]), tag);
    await v.close();
  }
});

test('the longest names: the excerpt is drawn, and the verdict prints on one page', async () => {
  const v = await s.visitor();
  await signIn(v.page, people.long);
  const { code } = await draw(v.page, 'contract', { salary: true, recipient: 'Ş'.repeat(100), purpose: 'Ğ'.repeat(100) });
  const clerk = await s.visitor();
  await signIn(clerk.page, people.clerk, { organisation: bank });
  for (const lang of langs) {
    await clerk.page.goto(`/check?lang=${lang}`);
    await check(clerk.page, { code });
    assert.equal(await printedPages(s, clerk.page), 1, lang);
  }
  await v.close();
  await clerk.close();
});

test('without a mouse: everything is reached with Tab, the focus is always seen, Enter, Space and arrows do the rest', async () => {
  const v = await s.visitor();
  const { page } = v;
  const keys = page.keyboard;
  // to tabs until a condition on the focused element holds; each element on the way shows its focus, inside the window.
  const to = async (what, condition, argument) => {
    for (let i = 0; i < 80; i++) {
      await keys.press('Tab');
      const focus = await page.evaluate(() => {
        const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
        const x = box.x + box.width / 2, y = box.y + Math.min(box.height, innerHeight) / 2, top = document.elementFromPoint(x, y);
        return {
          at: e.outerHTML.slice(0, 120), body: e === document.body,
          outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && (e.contains(top) || top?.contains(e)),
        };
      });
      if (focus.body) continue; // from the end to the beginning, by way of the browser's own bar
      assert.ok(focus.outlined, `no outline on ${focus.at}`);
      assert.ok(focus.seen, `hidden: ${focus.at}`);
      if (await page.evaluate(([f, a]) => new Function('e', 'a', `return (${f})(e, a)`)(document.activeElement, a), [String(condition), argument])) return;
    }
    assert.fail(`Tab does not lead to ${what}`);
  };
  const link = (path) => to(`a link to ${path}`, (e, a) => e.tagName === 'A' && e.getAttribute('href').startsWith(a), path);
  const field = (name) => to(`the field ${name}`, (e, a) => e.name === a, name);
  const button = () => to('the button', (e) => e.tagName === 'BUTTON' && e.closest('main') && !e.name);
  const press = async (key, url) => {
    await Promise.all([page.waitForURL(url), keys.press(key)]);
  };

  await page.goto('/');
  await keys.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '#main', 'the first Tab offers to skip to the main part');
  await link('/signin');
  await press('Enter', /\/demo-provider\/authorize/);
  await field('person');
  await keys.press('Space'); // the first: Nərmin
  await field('method');
  await keys.press('ArrowDown');
  await button();
  await press('Enter', /\/cabinet$/);
  await link('/cabinet/examinations');
  await press('Enter', /\/cabinet\/examinations$/);
  await link('/cabinet/excerpts/new');
  await press('Enter', /\/cabinet\/excerpts\/new/);
  await field('lang');
  await keys.press('ArrowDown'); // English
  await field('validity');
  await keys.press('ArrowDown'); // 90 days
  await field('recipient');
  await keys.type('Nümunə Bank');
  await field('purpose');
  await keys.type('a loan');
  await button();
  await keys.press('Enter');
  const excerpt = await drawn(page);
  assert.match(await page.locator('dl.facts').innerText(), new RegExp(await text('az', 'issuer.lang.en')));
  await to('the file', (e) => e.tagName === 'A' && e.getAttribute('href').endsWith('/pdf'));
  const [download] = await Promise.all([page.waitForEvent('download'), keys.press('Enter')]);
  assert.ok((await pdfText(await kept(s, download))).includes('a loan'));
  await to('signing out', (e) => e.tagName === 'BUTTON' && e.closest('header'));
  await press('Space', /\/signin\/out/);

  await to('signing in again', (e) => e.tagName === 'A' && e.closest('main') && e.getAttribute('href') === '/signin');
  await press('Enter', /\/demo-provider\/authorize/);
  await field('person');
  await keys.press('Space');
  while (!(await page.evaluate((b) => document.activeElement.closest('label').innerText.includes(b), bank))) await keys.press('ArrowDown');
  await to('the sign-in button', (e) => e.tagName === 'BUTTON' && e.closest('main') && !e.name);
  await press('Enter', /\/cabinet$/);
  await link('/check');
  await press('Enter', /\/check$/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'code', 'the field has the focus');
  await keys.type(excerpt.code);
  await field('purpose');
  await keys.press('Space');
  await press('Enter', /\/checked\//);
  assert.equal(await page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'));
  await link('/cabinet/checked-by-me');
  await press('Enter', /\/checked-by-me$/);
  await link('/checked/');
  await press('Enter', /\/checked\//);
  await to('signing out', (e) => e.tagName === 'BUTTON' && e.closest('header'));
  await press('Enter', /\/signin\/out/);
  await v.close();
});
