// What look.mjs does not ask axe-core a second time must be what axe-core would have said.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './harness.mjs';
import { room, roomy, structure, violations } from './look.mjs';

let chromium, page;
before(async () => {
  chromium = await launch();
  page = await chromium.newPage({ viewport: { width: 320, height: 256 } });
});
after(() => chromium?.close());

const show = (body) => page.setContent(`<!doctype html><html lang="az"><head><title>Səhifə</title></head><body>${body}</body></html>`);
const button = (left, top, size) => `<button style="position:absolute;padding:0;border:0;left:${left}px;top:${top}px;width:${size}px;height:${size}px">x</button>`;

test('what has room has it for axe-core, too', async () => {
  for (const [what, body, room_] of [
    ['large ones side by side', button(10, 10, 24) + button(34, 10, 24), true],
    ['small ones apart', button(10, 10, 10) + button(40, 10, 10), true],
    ['a small one alone', button(10, 10, 10), true],
    ['small ones together', button(10, 10, 10) + button(21, 10, 10), false],
    ['a small one at a large one', button(10, 10, 10) + button(21, 5, 40), false],
  ]) {
    await show(body);
    assert.equal(await page.evaluate(roomy), room_, what);
    assert.equal((await violations(page, room)).length === 0, room_, what);
  }
  await show('<div style="height:50px;overflow:auto"><p style="height:500px">x</p></div>');
  assert.equal(await page.evaluate(roomy), false, 'of a part that scrolls axe-core decides');
});

test('pages that differ in words alone are the same, and no others', async () => {
  const of = async (body) => { await show(body); return page.evaluate(structure); };
  const page_ = (words) => `<nav aria-label="${words}"><a href="/x?lang=az" hreflang="az" lang="az" aria-current="true">A</a><a href="/x?lang=ru" hreflang="ru" lang="ru">R</a></nav>
    <main><h1>${words}</h1><form action="/${words}"><label for="f">${words}</label><input id="f" value="${words}"></form></main>`;
  const one = await of(page_('bir'));
  assert.equal(await of(page_('iki')), one);
  assert.equal(await of(page_('bir').replace(' aria-current="true"', '').replace('lang="ru">', 'lang="ru" aria-current="true">')), one, 'another language');
  for (const [what, from, to] of [
    ['a label without words', '<label for="f">bir', '<label for="f">'], ['a label of another field', 'for="f"', 'for="g"'], ['a part without a name', 'aria-label="bir"', 'aria-label=""'],
    ['another class', '<main>', '<main class="x">'], ['a wrong language', ' lang="ru"', ' lang="xx"'], ['a name that stands twice', '<main>', '<main aria-label="bir"><p>'],
  ]) {
    assert.notEqual(await of(page_('bir').replace(from, to)), one, what);
  }
  assert.notEqual(await of('<nav aria-label="a"></nav><nav aria-label="b"></nav>'), await of('<nav aria-label="a"></nav><nav aria-label="a"></nav>'), 'two of one name');
});
