// What every page is examined for, in every language and in two widths: accessible by axe-core's rules, no wider than its
// window, one heading, all of it translated, no hole in a sentence.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { langs, root } from './harness.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// everything is the rules for a page whose build nobody has examined yet. Contrast takes half of their time and depends on
// elements and classes alone: a page built of the same ones, with other words, is examined by wording.
const everything = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'], preload: false,
};
const wording = { ...everything, rules: { ...everything.rules, 'color-contrast': { enabled: false } } };
const narrow = { runOnly: ['target-size', 'scrollable-region-focusable'], resultTypes: ['violations'], preload: false };

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
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  assert.deepEqual(await violations(page, built.has(wide) ? wording : everything), [], where);
  built.add(wide);
  // 320 px wide, which is also what 1280 px are at a zoom of 400 %.
  await page.setViewportSize({ width: 320, height: 256 });
  assert.deepEqual(await violations(page, narrow), [], `${where} at 320 px`);
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

// structure is all of a page but its words: elements with what a style can depend on, and where there is text. It runs in
// the page.
function structure() {
  const line = (e) => {
    const of = ['class', 'role', 'type', 'style', 'hidden', 'disabled', 'aria-current', 'aria-invalid'].map((a) => e.getAttribute(a) ?? '');
    const text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== '');
    return `${e.tagName} ${of.join('|')} ${text ? 'text' : ''} ${e.checked ?? ''}(${[...e.children].map(line).join(',')})`;
  };
  return line(document.body);
}

function violations(page, rules) {
  return page.evaluate((options) => window.axe.run(document, options)
    .then((r) => r.violations.map((x) => `${x.id}: ${x.help}: ${x.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)), rules);
}
