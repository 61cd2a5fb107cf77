// What every page is examined for, in every language and in two widths: accessible by axe-core's rules, no wider than its
// window, one heading, all of it translated, no hole in a sentence.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { langs, root } from './harness.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// everything is the rules for a page whose build nobody has examined yet, at 1280 px.
const everything = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'], preload: false,
};
// room are the rules that judge what room the words take, at 320 px. All others give the same answer for pages that structure calls
// the same, whatever the words are, and are not asked again.
export const room = { runOnly: ['target-size', 'scrollable-region-focusable'], resultTypes: ['violations'], preload: false };

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

// A key that stands on a page has no words. areas are what keys begin with.
const areas = new Set();
for (const f of await readdir(path.join(root, 'web/locale'))) {
  for (const k of Object.keys(JSON.parse(await readFile(path.join(root, 'web/locale', f), 'utf8')))) areas.add(k.split('.')[0]);
}
const key = new RegExp(`\\b(${[...areas].join('|')})\\.[a-z_]+([.-][a-z_]+)*\\b(?!@)`);

const built = new Set(); // pages whose build was examined

// look examines the page that is open, in all three languages: in its own first, then loaded again in the others. A page
// that answers a form is sent again, so the form must be one that can be; again is called where loading does not bring the
// state back. The page is left in another language than it was.
export async function look(v, what, again = async () => {}) {
  const { page, context } = v;
  const first = await page.evaluate(() => document.documentElement.lang);
  for (const lang of [first, ...langs.filter((l) => l !== first)]) {
    if (lang !== first) {
      await context.addCookies([{ name: 'lang', value: lang, url: new URL(page.url()).origin }]);
      await page.reload();
      await again();
    }
    await examine(page, lang, `${what} in ${lang} (${new URL(page.url()).pathname})`);
  }
}

async function examine(page, lang, where) {
  await page.setViewportSize({ width: 1280, height: 800 });
  const wide = await page.evaluate(structure);
  const known = built.has(wide);
  if (!known) assert.deepEqual(await violations(page, everything), [], where);
  built.add(wide);
  // 320 px wide, which is also what 1280 px are at a zoom of 400 %.
  await page.setViewportSize({ width: 320, height: 256 });
  if (!known || !await page.evaluate(roomy)) assert.deepEqual(await violations(page, room), [], `${where} at 320 px`);
  const seen = await page.evaluate(() => {
    const window = document.documentElement.clientWidth, texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) if (!n.parentElement.closest('body [lang], .mono, pre')) texts.push(n.data.trim());
    return {
      texts, said: document.body.innerText, lang: document.documentElement.lang, headings: document.querySelectorAll('h1').length,
      tooWide: document.documentElement.scrollWidth - window,
      out: [...document.querySelectorAll('body *')]
        .filter((e) => !e.closest('pre, .aside, .skip, thead, option') && e.getBoundingClientRect().right > window + 1).map((e) => e.outerHTML.slice(0, 120)),
    };
  });
  assert.deepEqual(seen.out, [], `${where}: runs out of 320 px`);
  assert.ok(seen.tooWide <= 0, `${where}: ${seen.tooWide} px wider than 320 px`);
  assert.doesNotMatch(seen.said, key, `${where}: a key instead of words`);
  assert.doesNotMatch(seen.said, /<no value>|%!|{{|undefined|NaN|01\.01\.0001/, `${where}: a hole in the text`);
  assert.equal(seen.lang, lang, where);
  assert.equal(seen.headings, 1, `${where}: one heading`);
  // What stands on the page as it stands in the files of another language only, unless it is marked as such.
  const others = langs.filter((l) => l !== lang);
  assert.deepEqual(seen.texts.filter((x) => !sentences[lang].has(x) && others.some((l) => sentences[l].has(x))), [], `${where}: words of another language`);
}

// structure is all of a page but its words: elements with their attributes, and where there is text. Of an attribute that leads
// somewhere it is whether it does so within the page; of one that holds words, which others say the same; one that names an element is kept, for it
// must name the right one. It runs in the page.
export function structure() {
  const names = new Map([['', 0]]); // what names something, by its words: two of the same name are a fault
  const name = (words) => names.get(words.trim()) ?? names.set(words.trim(), names.size).get(words.trim());
  const said = ['content', 'datetime', 'hreflang', 'placeholder', 'value'];
  const attribute = (a) => {
    if (['alt', 'aria-label', 'title'].includes(a.name)) return `${a.name}=${name(a.value)}`;
    if (a.name === 'lang') return `lang=${/^(az|en|ru)$/.test(a.value)}`;
    if (said.includes(a.name) || a.name.startsWith('data-')) return `${a.name}=${a.value.trim() !== ''}`;
    if (['action', 'href', 'src'].includes(a.name)) return `${a.name}=${a.value.startsWith('#') ? a.value : ''}`;
    return `${a.name}=${a.value}`;
  };
  const line = (e) => {
    const text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== '');
    const words = /^(CAPTION|H[1-6])$/.test(e.tagName) ? name(e.textContent) : text ? 'text' : '';
    // Which of the languages is the page's own makes no other page of it.
    const attributes = [...e.attributes].filter((a) => !(a.name === 'aria-current' && e.hasAttribute('hreflang')));
    return `${e.tagName} ${attributes.map(attribute).join('|')} ${words} ${e.checked ?? ''}(${[...e.children].map(line).join(',')})`;
  };
  return `${document.title.trim() !== ''} ${line(document.documentElement)}`;
}

// roomy says whether the rules of room hold for certain: no part scrolls, and each target has 24 by 24 px, or a circle of 24 px around its middle
// that touches no other target (WCAG 2.2, 2.5.8). Where it is not certain, axe-core decides. It runs in the page.
export function roomy() {
  const scrolls = (e) => {
    const { overflowX, overflowY } = getComputedStyle(e), moves = (o) => o === 'auto' || o === 'scroll';
    return moves(overflowX) && e.scrollWidth > e.clientWidth || moves(overflowY) && e.scrollHeight > e.clientHeight;
  };
  if ([...document.querySelectorAll('body, body *')].some(scrolls)) return false;
  const targets = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, label, [tabindex], [role]')]
    .map((e) => e.getBoundingClientRect()).filter((r) => r.width > 0 && r.height > 0);
  const small = (r) => r.width < 24 || r.height < 24;
  return targets.every((a) => {
    if (!small(a)) return true;
    const x = a.left + a.width / 2, y = a.top + a.height / 2;
    return targets.every((b) => {
      if (a === b) return true;
      const dx = Math.max(b.left - x, 0, x - b.right), dy = Math.max(b.top - y, 0, y - b.bottom);
      return Math.hypot(dx, dy) >= 12 && (!small(b) || Math.hypot(b.left + b.width / 2 - x, b.top + b.height / 2 - y) >= 24);
    });
  });
}

export async function violations(page, rules) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  return page.evaluate((options) => window.axe.run(document, options)
    .then((r) => r.violations.map((x) => `${x.id}: ${x.help}: ${x.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)), rules);
}
