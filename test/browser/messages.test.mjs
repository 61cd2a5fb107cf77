// How messages reach a person: the channel is chosen, its address confirmed by a code, and what happens is said there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, code, draw, people, sent, signIn, suite, text, until } from './harness.mjs';

const s = suite({ before, after });

test('an SMS says that an excerpt was withdrawn, and the cabinet that it was delivered', async () => {
  const v = await s.visitor({ lang: 'az' });
  const { page } = v;
  await signIn(page, people.citizen);
  await choose(page, 'sms', '#phone', '(050) 765-43-21', 'az');
  assert.match(await page.locator('main').innerText(), /\+994 50 ••• •• 21/);
  assert.doesNotMatch(await page.content(), /7654321|765-43-21/);
  const right = await code(page, '+994507654321');
  await page.locator('#code').fill(right === '111111' ? '222222' : '111111');
  await page.locator('main form button').first().click();
  assert.match(await page.locator('.errors').innerText(), new RegExp(await text('az', 'problem.cabinet.code-wrong', { Left: '4' })));
  await page.locator('#code').fill(`${right.slice(0, 3)} ${right.slice(3)}`);
  await page.locator('main form button').first().click();
  await page.waitForURL('**/cabinet/channel');
  assert.match(await page.locator('.turn').innerText(), /SMS \+994 50 ••• •• 21/);

  const before = (await sent(page)).length;
  const { number } = await draw(page, 'examination');
  await page.goto(`/cabinet/excerpts/${number}/withdraw`);
  await page.locator('main form button').first().click();
  const [newest] = await sent(page, before);
  assert.equal(newest.to, '+994507654321');
  assert.equal(newest.text, await text('az', 'message.withdrawn.short', { Number: number }));
  assert.match(newest.about, /UCS-2/);
  const delivered = `SMS +994 50 ••• •• 21: ${await text('az', 'cabinet.out.delivered')}`;
  await until('a receipt', async () => {
    await page.goto('/cabinet/messages');
    return (await page.locator('ol.days > li').first().innerText()).includes(delivered);
  });

  // Back to the cabinet alone. The telephone hears that it is no longer told, and then nothing.
  await page.goto('/cabinet/channel');
  await page.locator('input[name=channel][value=cabinet]').check();
  await page.locator('main form button').first().click();
  await page.waitForLoadState();
  const [goodbye] = await sent(page, before + 1);
  assert.equal(goodbye.text, await text('az', 'message.channel.short'));
  const next = await draw(page, 'contract');
  await page.goto(`/cabinet/excerpts/${next.number}/withdraw`);
  await page.locator('main form button').first().click();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal((await sent(page)).length, before + 2);
  await v.close();
});

test('an e-mail, in Russian, without JavaScript', async () => {
  const v = await s.visitor({ lang: 'en', javaScriptEnabled: false });
  const { page } = v;
  await signIn(page, people.jobs);
  await choose(page, 'email', '#email', 'elcin@example.az', 'ru');
  await page.locator('#code').fill(await code(page, 'elcin@example.az'));
  await page.locator('main form button').first().click();
  await page.waitForURL('**/cabinet/channel');
  assert.match(await page.locator('.turn').innerText(), /e•••@example\.az/);
  const { number } = await draw(page, 'contract');
  await page.goto(`/cabinet/excerpts/${number}/withdraw`);
  await page.locator('main form button').first().click();
  const mail = await until('a mail', async () => (await sent(page)).find((x) => x.to === 'elcin@example.az' && x.text.includes(number)));
  assert.match(mail.text, /\/cabinet\/messages/);
  await v.close();
  assert.doesNotMatch(s.demo.log(), /7654321|elcin@/);
});
