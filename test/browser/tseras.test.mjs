// The assessment of disability in a browser: the person applies, follows and reads, members are drawn, record and sign, and
// time goes by. Each page and state is examined by look.mjs in three languages.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { apply, becomes, confirmAgain, drawn, findings, forward, iso, members, refer, signMemberIn, subjects } from './assess.mjs';
import { cores, kept, people, root, send, signIn, suite, text, until } from './harness.mjs';
import { look } from './look.mjs';

const run = promisify(execFile);
const tesdiq = process.env.TESDIQ ?? path.join(root, 'bin/tesdiq');
const s = suite({ before, after, prepare: async () => { s.members = await members(s); } });
after(() => Promise.all((s.members ?? []).map((m) => m.close())));

// see looks at a page in all languages and leaves it in Azerbaijani.
async function see(v, what, again) {
  await look(v, what, again);
  await v.context.addCookies([{ name: 'lang', value: 'az', url: s.demo.address }]);
}

// said says whether a page has the sentence of a key.
const said = async (page, key, args) => (await page.locator('main').innerText()).includes(await text('az', key, args));

// state waits until a person's case is in a state: the sentence about who does what now is there; of a referral, that it is
// the institution's turn, because the sentence names it.
const state = async (page, at, doing) => {
  const sentence = await text('az', doing === 'awaiting_referral' ? 'tseras-person.turn.institution' : `tseras-person.doing.${doing}`);
  await becomes(page, at, (html) => html.includes(sentence), doing);
};
const decided = (page, at) => becomes(page, at, (html) => html.includes('class="verdict'), 'decided');

// wrong expects a form to be refused: the status, and at each field its own sentence, to which the summary leads.
async function wrong(page, answer, expected) {
  assert.equal(answer.status(), 422);
  for (const [field, [key, args]] of Object.entries(expected)) {
    const sentence = await text('az', `problem.${key}`, args);
    const link = page.locator(`.errors a[href="#${field}"]`);
    assert.equal(await link.innerText(), sentence);
    await link.click();
    assert.equal(await page.evaluate(() => document.activeElement.id), field);
    assert.ok((await page.locator('.field.error', { has: page.locator(`#${field}`) }).locator('.why').innerText()).includes(sentence), field);
  }
  assert.equal(await page.locator('.errors a').count(), Object.keys(expected).length, 'nothing else is called wrong');
}

// lose presses a button while there is no connection, and then tries again.
async function lose(v, button) {
  await v.context.setOffline(true);
  await button.click();
  await v.page.waitForURL('chrome-error://chromewebdata/');
  await v.context.setOffline(false);
  await v.page.reload().catch((e) => assert.match(e.message, /ERR_ABORTED|Not attached to an active page/)); // the browser may have tried first
}

const activities = ['self_care', 'movement', 'orientation', 'communication', 'behaviour', 'learning', 'work'];
const save = (page) => page.locator('button[value=save]');

describe('assessments', { concurrency: cores }, () => {
  test('the registers alone decide: the person applies once, reads why, and has what recomputes the decision', async () => {
    const v = await s.visitor();
    const { page } = v;
    await signIn(page, people.refused, { to: '/cabinet/cases' });
    await see(v, 'no cases');
    await page.goto('/cabinet/cases/new');
    await see(v, 'an application');
    await lose(v, page.locator('main form button'));
    await page.waitForURL(/\/cabinet\/cases\/T-/);
    const at = new URL(page.url()).pathname;
    await decided(page, at);
    await page.reload();
    await page.goto('/cabinet/cases');
    assert.deepEqual(await page.locator('tbody a').evaluateAll((all) => all.map((a) => a.getAttribute('href'))), [at], 'one case');
    await see(v, 'a closed case in the list');
    await page.goto(at);
    assert.ok(await said(page, 'tseras-person.reasons'));
    assert.ok(await page.locator('main ol > li').count() >= 2, 'reasons');
    await see(v, 'what the registers decided');
    await page.goto(at);
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('a[href$="/package"]').click()]);
    const { stdout } = await run(tesdiq, ['decide', '-package', await kept(s, download)]);
    assert.match(stdout, /81–100|81-100/);
    await page.locator('main a.button[href^="/cabinet/examinations/"]').click();
    assert.match(await page.locator('dl.facts').innerText(), /81–100/);
    await page.goto('/cabinet/messages');
    assert.ok(await said(page, 'tseras.message.decided.title'));
    await v.close();
  });

  test('without JavaScript a person applies, by a double click too, waits, and withdraws', async () => {
    const v = await s.visitor({ javaScriptEnabled: false });
    const { page } = v;
    await signIn(page, people.jobs, { to: '/cabinet/cases/new' });
    await page.locator('main form button').dblclick();
    await page.waitForURL(/\/cabinet\/cases\/T-/);
    const at = new URL(page.url()).pathname;
    await state(page, at, 'awaiting_referral');
    await page.goto('/cabinet/cases/new');
    assert.equal(new URL(page.url()).pathname, at, 'who has an open case is led to it');
    await page.locator('a[href$="/withdraw"]').click();
    await page.locator('main form button').dblclick();
    await page.waitForURL((u) => u.pathname === at);
    assert.ok(await said(page, 'tseras-person.state.withdrawn'));
    await page.goto(`${at}/withdraw`);
    assert.equal(new URL(page.url()).pathname, at, 'nothing is left to withdraw');
    await page.goto('/cabinet/cases');
    assert.equal(await page.locator('tbody tr').count(), 1);
    await v.close();
    const again = await s.visitor();
    await signIn(again.page, people.jobs, { to: at });
    await see(again, 'a withdrawn case');
    await again.close();
  });

  test('a commission decides: drawn, recorded apart, a further member, a refusal, signed at the provider', async (t) => {
    const person = await s.visitor();
    const all = []; // who sits: { name, address, role } with a browser
    let at;
    const sit = async (seat, options) => {
      const m = Object.assign(await s.visitor(options), { seat });
      await signMemberIn(m.page, seat.name);
      all.push(m);
      return m;
    };

    await t.test('the person applies, and the institution refers', async () => {
      const { page } = person;
      await signIn(page, people.citizen, { to: '/cabinet/cases' });
      at = await apply(page);
      await state(page, at, 'awaiting_referral');
      await see(person, 'a referral is awaited');
      await page.goto(`${at}/withdraw`);
      await see(person, 'withdrawing an application');
      await page.goto('/cabinet');
      await see(person, 'the cabinet with an open case');
      const referred = await refer(s, subjects.nermin);
      assert.equal(`/cabinet/cases/${referred.case}`, at);
      assert.equal((await refer(s, subjects.nermin)).case, referred.case, 'the same again is the same');
    });

    await t.test('three are drawn, and find the case in their cabinet', async () => {
      const seats = await drawn(s.members, 3);
      await sit(seats[0]);
      await sit(seats[1]);
      await sit(seats[2], { javaScriptEnabled: false });
      await state(person.page, at, 'drawn');
      await see(person, 'a commission was drawn');
      const { page, seat } = all[0];
      assert.equal(seat.role, 'Chair');
      await page.goto('/cabinet');
      await see(all[0], "a chair's cabinet");
      assert.equal(await page.locator('nav.sections a[href="/commission"]').count(), 1, 'the navigation leads there');
      await page.locator('main a[href="/commission"]').click();
      await page.waitForURL(/\/commission$/);
      await see(all[0], "a chair's cases");
      await page.goto('/commission');
      await page.locator(`a[href="${seat.address}"]`).click();
      assert.doesNotMatch(await page.content(), /Quliyeva|5NQ7K2M|12\.04\.1988|1988-04-12|poliklinika/);
    });

    await t.test('what is wrong with findings is said at each field, and what was chosen stays', async () => {
      const { page, seat } = all[0];
      await page.goto(seat.address);
      await see(all[0], 'a case to assess');
      await page.goto(seat.address);
      const none = {};
      for (const a of activities) none[`activity-${a}`] = ['tseras.limit.missing', { Activity: await text('az', `criteria.activity.${a}`) }];
      await wrong(page, await send(page, save(page)), none);
      await see(all[0], 'findings, nothing chosen');
      await page.goto(seat.address);
      await findings(page, 'joints-rheumatoid', 3, 'II');
      await page.locator('select[name^=cause-]').selectOption({ index: 1 });
      const cause = await page.locator('select[name^=cause-]').inputValue();
      await page.evaluate(() => { for (const e of document.querySelectorAll('input[name^=grade-], input[name=activity-learning]')) e.checked = false; });
      const condition = await page.locator('fieldset legend').first().innerText();
      await wrong(page, await send(page, save(page)), { 'grade-joints-rheumatoid': ['tseras.grade.missing', { Condition: condition }] });
      assert.ok(await page.locator('input[name=activity-movement][value=II]').isChecked());
      assert.equal(await page.locator('select[name^=cause-]').inputValue(), cause);
      await page.locator('input[name="grade-joints-rheumatoid"][value="3"]').check();
      await wrong(page, await send(page, save(page)), { 'activity-learning': none['activity-learning'] });
      assert.ok(await page.locator('input[name="grade-joints-rheumatoid"][value="3"]').isChecked());
      await page.locator('button[value^="remove:"]').click();
      await page.waitForLoadState();
      assert.equal(await page.locator('input[name=criterion]').count(), 0);
      assert.ok(await page.locator('input[name=activity-movement][value=II]').isChecked(), 'the rest stays');
    });

    await t.test('the access keys do what the page says of them', async () => {
      const { page, context, seat } = all[0];
      const cdp = await context.newCDPSession(page);
      const alt = async (letter) => { // playwright's own keys carry no letter beside Alt, and Chromium goes by it
        const key = { modifiers: 1, key: letter, code: `Key${letter.toUpperCase()}`, windowsVirtualKeyCode: letter.toUpperCase().charCodeAt(0) };
        await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', text: letter, unmodifiedText: letter, ...key });
        await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
      };
      await page.goto(seat.address);
      await alt('k');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'add');
      await page.locator('#add').selectOption('joints-rheumatoid');
      await Promise.all([page.waitForEvent('domcontentloaded'), alt('e')]);
      await page.locator('input[name=criterion]').waitFor({ state: 'attached' });
      const [answer] = await Promise.all([
        page.waitForResponse((r) => r.request().method() === 'POST'), page.waitForEvent('domcontentloaded'), alt('s'),
      ]);
      assert.equal(answer.status(), 422, 'sent, and nothing was chosen');
      await cdp.detach();
    });

    await t.test('the chair asks for the longer term, with a reason, once', async () => {
      const { page, seat } = all[0];
      const button = page.locator('form[action$="/extend"] button');
      await page.goto(seat.address);
      const due = await page.locator('[role=status] time').getAttribute('datetime');
      await wrong(page, await send(page, button), { longer: ['text.missing'] });
      await see(all[0], 'the longer term without a reason');
      await page.goto(seat.address);
      await page.locator('#longer').fill('Əlavə sınaq gözlənilir \u202e');
      assert.equal((await send(page, button)).status(), 422);
      assert.equal(await page.locator('#longer').inputValue(), 'Əlavə sınaq gözlənilir \u202e', 'what was typed stays');
      await page.locator('#longer').fill('Əlavə sınaq gözlənilir');
      assert.equal((await send(page, button)).status(), 303);
      await until('the last day is later', async () => {
        await page.goto(seat.address);
        return await page.locator('[role=status] time').getAttribute('datetime') > due;
      });
      await person.page.goto(at);
      assert.ok((await person.page.locator('main').innerText()).includes('Əlavə sınaq gözlənilir'), 'the person reads why');
      await page.goto(seat.address);
      if (await button.count() > 0) {
        await page.locator('#longer').fill('Bir daha');
        assert.ok((await send(page, button)).status() >= 400, 'only once');
      }
      assert.equal(await all[1].page.goto(seat.address).then(() => all[1].page.locator('form[action$="/extend"]').count()), 0, "a member's page does not offer it");
    });

    await t.test('a member records by keyboard alone, in a few seconds', async () => {
      const { page, seat } = all[1];
      const keys = page.keyboard;
      let presses = 0;
      const press = async (key) => { presses++; await keys.press(key); };
      const focused = () => page.evaluate(() => `${document.activeElement.name ?? ''} ${document.activeElement.value ?? ''}`);
      const to = async (begin) => { // Tab until a field has the focus
        for (let i = 0; !(await focused()).startsWith(begin); i++) {
          assert.ok(i < 25, `Tab does not lead to ${begin}`);
          await press('Tab');
        }
      };
      await page.goto(seat.address);
      const begin = Date.now();
      await press('Tab');
      await press('Enter'); // to the main part
      await to('add');
      for (const letter of 'Revma') await press(letter);
      assert.equal((await focused()), 'add joints-rheumatoid', 'the letters of its name choose it');
      await to('do add');
      await Promise.all([page.waitForEvent('domcontentloaded'), press('Enter')]);
      await page.locator('input[name=criterion]').waitFor({ state: 'attached' });
      assert.ok(await page.evaluate(() => document.querySelector('#findings').getBoundingClientRect().top < innerHeight), 'the form is in sight again');
      await to('grade-');
      await press('Space');
      await press('ArrowDown');
      await press('ArrowDown');
      for (const a of activities) {
        await to(`activity-${a}`);
        await press('Space');
        for (let i = 0; i < (['self_care', 'movement', 'work'].includes(a) ? 2 : 0); i++) await press('ArrowDown');
      }
      await to('do save');
      await Promise.all([page.waitForResponse((r) => r.request().method() === 'POST' && r.status() === 303), press('Enter')]);
      await page.waitForLoadState();
      assert.ok(await said(page, 'tseras-commission.wait'), 'recorded');
      assert.ok(presses <= 60, `${presses} keys`);
      t.diagnostic(`recorded with ${presses} keys in ${Date.now() - begin} ms`);
      await see(all[1], 'recorded, waiting for the others');
    });

    await t.test('one without JavaScript finds another grade, the connection of the chair breaks: a further member is drawn', async () => {
      const third = all[2].page;
      await third.goto(all[2].seat.address);
      await findings(third, 'joints-rheumatoid', 2, 'I');
      await Promise.all([third.waitForResponse((r) => r.request().method() === 'POST'), save(third).dblclick()]);
      await third.waitForLoadState();
      // The answer to the second click may come between, and end the way there.
      await until('recorded once', () => third.goto(all[2].seat.address).then(() => said(third, 'tseras-commission.wait'), () => false));
      const { page, seat } = all[0];
      await page.goto(seat.address);
      await findings(page, 'joints-rheumatoid', 3, 'II');
      await lose(all[0], save(page));
      await until('recorded', async () => {
        await page.goto(seat.address);
        return (await page.locator('input[name=criterion]').count()) === 0;
      });
      assert.equal((await all[0].context.request.post(`${seat.address}/findings`, { form: { do: 'save' }, headers: { 'Sec-Fetch-Site': 'same-origin' } })).status(), 409, 'recorded is recorded');
      await state(person.page, at, 'further_member');
      await see(person, 'a further member is asked');
      const [seat4] = await drawn(s.members, 1, all.map((m) => m.seat));
      const fourth = await sit(seat4);
      assert.equal(seat4.role, 'Further member');
      await fourth.page.goto(seat4.address);
      assert.equal(await fourth.page.locator('#result').count(), 0, 'no result is seen before recording');
      await findings(fourth.page, 'joints-rheumatoid', 3, 'II');
      assert.equal((await send(fourth.page, save(fourth.page))).status(), 303);
      await state(person.page, at, 'signing');
      await see(person, 'it is being signed');
    });

    await t.test('three sign at the provider, one refuses and says why', async () => {
      const { page, seat } = all[0];
      await page.goto(seat.address);
      assert.match(await page.locator('#result + p').innerText(), /61–80/);
      await see(all[0], 'a result to sign');
      await page.goto(seat.address);
      const sign = page.locator('form[action$="/sign"] button');
      await sign.click();
      await page.locator('button[name=cancel]').click();
      await page.waitForURL(/\/signin\/callback|\/commission\//);
      await page.goto(seat.address);
      assert.equal(await sign.count(), 1, 'who cancels has not signed');
      const refuser = all[2].page;
      await refuser.goto(all[2].seat.address);
      const refuse = refuser.locator('form[action$="/refuse"] button');
      await wrong(refuser, await send(refuser, refuse), { reason: ['text.missing'] });
      await refuser.locator('#reason').fill('Nəticə tapıntılarıma uyğun deyil');
      assert.equal((await send(refuser, refuse)).status(), 303);
      await until('refused', async () => {
        await refuser.goto(all[2].seat.address);
        return await refuse.count() === 0;
      });
      for (const m of [all[0], all[1], all[3]]) {
        await m.page.goto(m.seat.address);
        await confirmAgain(m.page, m.seat.name, m.page.locator('form[action$="/sign"] button'));
        await until('signed', async () => {
          await m.page.goto(m.seat.address);
          return await m.page.locator('form[action$="/sign"]').count() === 0;
        });
      }
    });

    await t.test('the person reads the decision with its reasons, and anybody recomputes it and the draw', async () => {
      const { page } = person;
      await decided(page, at);
      assert.match(await page.locator('.verdict').innerText(), /61–80/);
      assert.ok(await page.locator('main ol > li').count() >= 4, 'reasons');
      assert.ok(await said(page, 'tseras-person.changes'));
      assert.match(await page.locator('main').innerText(), /saylı Nümunə TSEK/, 'who looked');
      await see(person, 'what a commission decided');
      await page.goto(at);
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('a[href$="/package"]').click()]);
      const { stdout } = await run(tesdiq, ['decide', '-package', await kept(s, download)]);
      assert.match(stdout, /61–80|61-80/);
      await page.goto('/cabinet/cases');
      await see(person, 'cases that are closed');
      await all[0].page.goto('/commission');
      assert.ok(await said(all[0].page, 'tseras-commission.closed'));
      await see(all[0], "a chair's closed cases");
      await all[0].page.goto(all[0].seat.address);
      await see(all[0], 'a case that is decided');
      await page.goto('/draws');
      await see(person, 'the draws');
      await page.goto('/draws');
      const round = page.locator('tbody tr').first(); // the latest
      const [draws] = await Promise.all([page.waitForEvent('download'), round.locator('a').click()]);
      const verified = await run(tesdiq, ['draws', 'verify', await kept(s, draws)]);
      assert.doesNotMatch(verified.stdout, /wrong/i);
    });

    for (const m of [person, ...all]) await m.close();
  });
});

// The last one: everybody's clock goes forward.
test('time goes by: what is late is marked for person and members, and who is due is invited', async () => {
  const person = await s.visitor();
  const { page } = person;
  await page.goto('/demo/clock');
  await see(person, 'the clock');
  await page.goto('/demo/clock');
  for (const [typed, ...problem] of [['', 'date.malformed'], ['sabah', 'date.malformed'], ['01.01.2026', 'demo.clock-back', { Day: dotted(0) }]]) {
    await page.locator('#day').fill(typed);
    await wrong(page, await send(page), { day: problem });
    assert.equal(await page.locator('#day').inputValue(), typed);
  }
  await see(person, 'the clock, put back');
  await signIn(page, people.jobs, { to: '/cabinet/cases' });
  const at = await apply(page);
  await state(page, at, 'awaiting_referral');
  const before = (await Promise.all(s.members.map(async (m) => (await m.list()).map((seat) => ({ name: m.name, ...seat }))))).flat();
  await refer(s, subjects.elcin);
  const seats = await drawn(s.members, 3, before);
  await page.goto(at);
  const last = (await page.locator('.turn').innerText()).match(/(\d\d)\.(\d\d)\.(\d{4})/);
  const term = Math.round((Date.parse(`${last[3]}-${last[2]}-${last[1]}`) - Date.parse(iso(0))) / 86_400_000);
  await forward(page, term + 3); // late, and who is silent is still waited for
  await see(person, 'the clock, put forward');
  await page.goto(at);
  assert.match(await page.locator('.turn').innerText(), new RegExp((await text('az', 'tseras-person.until.overdue', { Day: '.*' })).split('.*')[1].trim().slice(0, 20)));
  await see(person, 'a case that is late');
  const member = await s.visitor();
  await signMemberIn(member.page, seats[0].name);
  assert.equal(await member.page.locator('.tag.bad').count(), 1, 'the member sees that it is late');
  await see(member, "a member's late case");
  await member.page.goto(seats[0].address);
  await see(member, 'a late case to assess');
  await member.close();
  await forward(page, term + 14); // he is passed over, and with him all three: another commission is drawn
  const others = await drawn(s.members, 3, [...before, ...seats]);
  assert.ok(others.every((seat) => !seats.some((old) => old.name === seat.name)), 'none of those who were silent is drawn again');
  await page.goto(at);
  assert.ok(await said(page, 'tseras-person.step.another_commission'), 'the person reads why others were drawn');
  await see(person, 'a case that others were drawn for');
  await forward(page, 203); // the longest name's term ends in nine months; the window opens sixty days before, and the invitation comes before that
  const invited = await s.visitor();
  await signIn(invited.page, people.long, { to: '/cabinet/messages' });
  assert.ok(await said(invited.page, 'tseras.message.invited.title'));
  await see(invited, 'an invitation');
  await invited.page.goto('/cabinet');
  const [, from] = (await invited.page.locator('.turn').innerText()).match(/(\d\d\.\d\d\.\d{4})/);
  assert.ok(await said(invited.page, 'cabinet.turn.later.text', { From: from }), 'the window is not open yet');
  await see(invited, 'the cabinet of who is invited');
  await invited.page.goto('/cabinet/messages');
  assert.ok((await invited.page.locator('main').innerText()).includes(from), 'the invitation and the cabinet name the same day');
  await forward(page, 225);
  await person.close();
  await invited.page.goto('/cabinet');
  assert.ok(await said(invited.page, 'cabinet.turn.now.title'));
  await see(invited, 'the cabinet of who can apply');
  await invited.page.locator('.turn a.button').click();
  assert.ok(await said(invited.page, 'tseras-person.new.lead'));
  await invited.close();
});

// dotted is a day so many days from now, as people write it.
function dotted(days) {
  return iso(days).split('-').reverse().join('.');
}
