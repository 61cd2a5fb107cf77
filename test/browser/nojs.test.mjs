// The main job without JavaScript. The policy of our pages allows none anyway; here the browser runs none either.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bank, check, draw, kept, pdfText, people, signIn, suite, text } from './harness.mjs';

const s = suite({ before, after });

test('the main job needs no script', async () => {
  const citizen = await s.visitor({ javaScriptEnabled: false });
  await signIn(citizen.page, people.citizen);
  const drawnOnes = [await draw(citizen.page, 'examination', { lang: 'en', recipient: bank }), await draw(citizen.page, 'contract', { salary: true })];
  const files = [];
  for (const { number, code } of drawnOnes) {
    await citizen.page.goto(`/cabinet/excerpts/${number}`);
    const download = citizen.page.waitForEvent('download');
    await citizen.page.locator('a[href$="/pdf"]').click();
    files.push(await kept(s, await download));
    assert.ok((await pdfText(files.at(-1))).includes(code));
  }

  const clerk = await s.visitor({ javaScriptEnabled: false });
  await signIn(clerk.page, people.clerk, { organisation: bank, method: 'token' });
  const ids = [];
  for (const q of [...drawnOnes, ...files.map((file) => ({ file }))]) {
    ids.push(await check(clerk.page, { code: q.file ? undefined : q.code, file: q.file, purpose: 'benefit' }));
    assert.equal(await clerk.page.locator('h1').innerText(), await text('az', 'verifier.verdict.valid'));
  }
  await clerk.page.goto(`/v/${drawnOnes[0].code}`);
  await clerk.page.locator('main form button').click();
  await clerk.page.waitForURL(/\/checked\//);
  ids.push(clerk.page.url().split('/').pop());
  await clerk.close();

  await citizen.page.goto('/cabinet/checks-of-mine');
  const seen = await citizen.page.locator('main').innerText();
  for (const id of ids) assert.ok(seen.includes(id), `check ${id} is told`);
  assert.ok(seen.includes(bank));

  await citizen.page.goto(`/cabinet/excerpts/${drawnOnes[0].number}`);
  await citizen.page.locator('a[href$="/withdraw"]').click();
  await citizen.page.locator('main form button').click();
  await citizen.page.getByRole('button', { name: await text('az', 'web.sign-out') }).click();
  await citizen.page.waitForURL(/\/signin\/out/);
  await check(citizen.page, { code: drawnOnes[0].code });
  assert.equal(await citizen.page.locator('h1').innerText(), await text('az', 'verifier.verdict.withdrawn'));
  await citizen.close();
});
