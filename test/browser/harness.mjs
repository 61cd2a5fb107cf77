// What every browser test begins with: the running demonstration, Chromium, and the people who use both.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export const langs = ['az', 'en', 'ru'];

// cores is how many tests of a file go on at once: a browser's page and what draws it keep one busy.
export const cores = Math.max(2, availableParallelism());

// The demonstration's people and organisations, by the names on its sign-in page.
export const people = {
  citizen: 'Nərmin Quliyeva', // a disability and a job
  jobs: 'Elçin Kərimov', // three jobs
  corrected: 'Cavid Rzalı', // an entry corrected, another annulled
  long: 'Əbdülrəhimxan-Şahinşah Hacıbaloğlanzadə-Məlikməmmədbəyli', // the longest of everything
  nobody: 'Günay İsmayılova', // no entries
  refused: 'Sevinc Bağırova', // a terminated contract, no disability found
  clerk: 'Aysel Həsənova',
  manager: 'Murad Tağıyev',
  employer: 'Könül Abdullayeva',
};
export const bank = '“Nümunə Bank” Açıq Səhmdar Cəmiyyəti';

// words are the locale files as one object a language, to say on a page what the files say.
const words = {};
export async function text(lang, key, args = {}) {
  if (!words[lang]) {
    const dir = path.join(root, 'web/locale');
    words[lang] = {};
    for (const f of await readdir(dir)) {
      if (f.endsWith(`.${lang}.json`)) Object.assign(words[lang], JSON.parse(await readFile(path.join(dir, f), 'utf8')));
    }
  }
  const found = words[lang][key];
  assert.ok(typeof found === 'string', `no text ${key} in ${lang}`);
  return found.replaceAll(/{{\.(\w+)}}/g, (_, name) => args[name] ?? assert.fail(`${key}: no ${name}`));
}

// freePort asks the system for one. Between closing it here and opening it there somebody else may take it: then the
// program says so and start tries again.
function freePort() {
  return new Promise((resolve, reject) => {
    const s = createServer();
    s.on('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

// start runs bin/tesdiq demo in a new folder until stop, at a free port unless one is named. past: how many cases were closed before.
// log is all that it wrote.
export async function start(port, past = 0) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(port, past);
    } catch (e) {
      if (port || attempt === 3 || !/cannot be used/.test(e.message)) throw e;
    }
  }
}

async function startOnce(port, past) {
  const dir = await mkdtemp(path.join(tmpdir(), 'tesdiq-browser-'));
  const address = `http://localhost:${port ?? await freePort()}`;
  const program = spawn(process.env.TESDIQ ?? path.join(root, 'bin/tesdiq'),
    ['demo', '-addr', address.slice('http://'.length), '-data', dir, '-people', '50', '-past', `${past}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  program.stdout.on('data', (b) => { log += b; });
  program.stderr.on('data', (b) => { log += b; });
  const ended = new Promise((resolve) => { program.on('exit', resolve); program.on('error', resolve); });
  let over = false;
  ended.then(() => { over = true; });
  // Nobody may be left behind with a database of its own when the tests are broken off.
  const onExit = () => program.kill('SIGTERM');
  process.on('exit', onExit);
  const stop = async () => {
    program.kill('SIGTERM');
    const slow = setTimeout(() => program.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(slow);
    process.off('exit', onExit);
    await rm(dir, { recursive: true, force: true });
  };
  for (const begin = Date.now(); ;) {
    if (over || Date.now() - begin > 120_000) {
      await stop();
      throw new Error(`the demonstration does not start:\n${log}`);
    }
    const ready = await fetch(`${address}/readyz`).catch(() => null);
    if (ready?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const notes = JSON.parse(await readFile(path.join(dir, 'demo.json'), 'utf8'));
  const examples = Object.fromEntries(notes.examples.map((e) => [e.verdict, e]));
  return { address, dir, notes, examples, stop, log: () => log };
}

// launch starts Chromium: the shell without windows where there is one, which has the same engine and takes a third less
// of the processor than the whole browser, that draws its own tabs and menus for nobody.
export function launch() {
  const shell = '/usr/bin/chromium-headless-shell';
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? (existsSync(shell) ? shell : '/usr/bin/chromium'),
    args: [
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []), // Chromium refuses root otherwise
      '--headless', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}

// suite starts both before a file's tests, prepares what they need, and stops both afterwards.
export function suite({ before, after, prepare, past }) {
  const s = {};
  before(async () => {
    [s.demo, s.chromium] = await Promise.all([start(undefined, past), launch()]);
    s.visitor = (options) => visitor(s, options);
    await prepare?.(s);
  });
  after(async () => {
    await s.chromium?.close();
    await s.demo?.stop();
  });
  return s;
}

// visitor opens a browser of its own: cookies, language, size. What no page may do is noted and must be empty at the
// end: requests to elsewhere, errors on the console (a refused style or script is one), dialogs.
export async function visitor(s, { lang, ...options } = {}) {
  const context = await s.chromium.newContext({
    baseURL: s.demo.address, locale: 'az-AZ', timezoneId: 'Asia/Baku', viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options,
  });
  context.setDefaultTimeout(20_000);
  if (lang) await context.addCookies([{ name: 'lang', value: lang, url: s.demo.address }]);
  const page = await context.newPage();
  const faults = [];
  context.on('request', (r) => {
    const url = new URL(r.url());
    if (url.origin !== s.demo.address && url.protocol !== 'data:') faults.push(`request to ${r.url()}`);
  });
  page.on('console', (m) => {
    if (m.type() !== 'error' && m.type() !== 'warning') return;
    // That a page has the status 404 or 422 is what it should have; a part of it must not.
    if (/Failed to load resource: the server responded with a status of 4\d\d/.test(m.text()) && m.location().url === page.url()) return;
    if (/net::ERR_INTERNET_DISCONNECTED/.test(m.text())) return;
    faults.push(`console: ${m.text()} (${m.location().url})`);
  });
  page.on('pageerror', (e) => faults.push(`error: ${e.message}`));
  page.on('dialog', (d) => { faults.push(`dialog: ${d.message()}`); d.dismiss(); });
  return {
    context, page, faults,
    close: async () => {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}

// signIn goes to the sign-in and picks a person, or a person with an organisation's e-signature, and a method.
export async function signIn(page, name, { organisation, method = 'e-signature', to } = {}) {
  await page.goto(to ? `/signin?to=${encodeURIComponent(to)}` : '/signin');
  const card = page.locator('label.card').filter({ has: page.locator('strong', { hasText: name }) });
  await (organisation ? card.filter({ hasText: organisation }) : card.first()).click();
  await page.locator(`input[name=method][value="${method}"]`).check();
  await page.locator('main form button').first().click();
  await page.waitForURL((u) => !u.pathname.startsWith('/demo-provider') && !u.pathname.startsWith('/signin'));
}

// wrong expects a form to be refused: the status, and at each field its own sentence, to which the summary leads.
export async function wrong(page, answer, expected, lang = 'az') {
  assert.equal(answer.status(), 422);
  for (const [field, key] of Object.entries(expected)) {
    const sentence = await text(lang, `problem.${key}`);
    const link = page.locator(`.errors a[href="#${field}"]`);
    const label = page.locator(`label[for="${field}"]`);
    const named = await label.count() === 1 ? `${(await label.innerText()).trim()}: ${sentence}` : sentence; // where the sentence fits other fields, too
    assert.ok([sentence, named].includes(await link.innerText()), `${field}: ${await link.innerText()}`);
    await link.click();
    assert.equal(await page.evaluate(() => document.activeElement.id), field);
    assert.ok((await page.locator('.field.error', { has: page.locator(`#${field}`) }).locator('.why').innerText()).includes(sentence), field);
  }
  assert.equal(await page.locator('.errors a').count(), Object.keys(expected).length, 'nothing else is called wrong');
}

// draw draws an excerpt of the newest entry of a kind and comes back on its page with its number and code.
export async function draw(page, kind, { lang = 'az', validity, recipient = '', purpose = '', salary = false } = {}) {
  await page.goto(`/cabinet/${kind}s`);
  if (kind === 'contract') await page.locator('td a').first().click();
  await page.locator('main a.button[href*="/cabinet/excerpts/new"]').first().click();
  await page.locator(`input[name=lang][value=${lang}]`).check();
  if (validity) await page.locator(`input[name=validity][value="${validity}"]`).check();
  await page.locator('#recipient').fill(recipient);
  await page.locator('#purpose').fill(purpose);
  if (salary) await page.locator('#salary').check();
  await page.locator('main form button').click();
  return drawn(page);
}

// send presses a button of a form and gives the service's answer to it, once its page is there.
export async function send(page, button = page.locator('main form button').first()) {
  const [answer] = await Promise.all([
    page.waitForResponse((r) => r.request().method() === 'POST'), page.waitForEvent('domcontentloaded'), button.click(),
  ]);
  return answer;
}

// list reads a list that the service gives out for spreadsheets: rows of cells, without the head.
export async function list(v, address) {
  const answer = await v.context.request.get(address);
  assert.equal(answer.status(), 200, address);
  const rows = [[]];
  for (const [, quoted, plain, end] of (await answer.text()).replace(/^\ufeff/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ',') rows.push([]);
  }
  return rows.slice(1, -1);
}

// drawn reads number and code off the page of an excerpt, once it is made.
export async function drawn(page) {
  await page.waitForURL(/\/cabinet\/excerpts\/[^/]+$/);
  const code = page.locator('.code-groups');
  await code.waitFor();
  return { number: page.url().split('/').pop(), code: (await code.innerText()).replaceAll(/\s/g, '') };
}

// check sends the form of /check with a code or a file, and comes back on the answer's page.
export async function check(page, { code, file, purpose = 'credit', note }) {
  await page.goto('/check');
  if (code) await page.locator('#code').fill(code);
  if (file) await page.locator('#file').setInputFiles(file);
  await page.locator(`input[name=purpose][value=${purpose}]`).check();
  if (note) await page.locator('#note').fill(note);
  await page.locator('main form button').first().click();
  await page.waitForURL(/\/checked\//);
  return page.url().split('/').pop();
}

// choose asks for messages by a channel at an address, and comes to the page that wants its code.
export async function choose(page, channel, field, address, lang) {
  await page.goto('/cabinet/channel');
  await page.locator(`input[name=channel][value=${channel}]`).check();
  await page.locator(field).fill(address);
  await page.locator(`input[name=lang][value=${lang}]`).check();
  await page.locator('main form button').first().click();
  await page.waitForURL(/\/cabinet\/channel\/\d+$/);
}

// sent are the SMS and e-mails that the demonstration has sent, the newest first, once there are more than before.
export async function sent(page, more = 0) {
  let all = [];
  await until('something is sent', async () => {
    const html = await (await page.context().request.get('/demo/sent')).text();
    all = await page.evaluate((text) => [...new DOMParser().parseFromString(text, 'text/html').querySelectorAll('ol.days > li')].map((x) => ({
      to: x.querySelector('.mono').textContent, text: x.querySelector('.said').textContent, about: x.querySelector('.small').textContent,
    })), html);
    return all.length > more;
  });
  return all;
}

// until asks again and again, until a condition holds, for as long as a page may take.
export async function until(what, condition, patience = 20_000) {
  for (const begin = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = await condition();
    if (found) return found;
    assert.ok(Date.now() - begin < patience, what);
  }
}

// code waits for the code that was sent to an address.
export function code(page, to) {
  return until(`a code for ${to}`, async () => (await sent(page)).filter((x) => x.to === to).map((x) => /\b\d{6}\b/.exec(x.text)?.[0]).find(Boolean));
}

// confirm types the code that was sent to an address.
export async function confirm(page, to) {
  await page.locator('#code').fill(await code(page, to));
  await page.locator('main form button').first().click();
  await page.waitForURL('**/cabinet/channel');
}

// kept saves what a page downloads and says where.
export async function kept(s, download) {
  const file = path.join(s.demo.dir, download.suggestedFilename());
  await download.saveAs(file);
  return file;
}

// scan reads the QR on the first page of a PDF, as a telephone's camera does.
export async function scan(file) {
  const picture = file.replace(/\.pdf$/, '');
  await run('pdftoppm', ['-r', '150', '-png', '-singlefile', file, picture]);
  const { stdout } = await run('zbarimg', ['--quiet', '--raw', `${picture}.png`]);
  return stdout.trim();
}

// words of a PDF's pages.
export async function pdfText(file) {
  return (await run('pdftotext', ['-layout', file, '-'])).stdout;
}

// printedPages says on how many sheets of A4 a page prints.
export async function printedPages(s, page) {
  const file = path.join(s.demo.dir, 'printed.pdf');
  await writeFile(file, await page.pdf({ format: 'A4', preferCSSPageSize: true }));
  const { stdout } = await run('pdfinfo', [file]);
  return Number(/^Pages:\s+(\d+)/m.exec(stdout)[1]);
}

// reasons are the keys of a verdict's reasons whose sentence is said in a text: "valid.code".
export async function reasons(lang, verdict, said) {
  await text(lang, 'verifier.verdict.valid');
  return Object.keys(words[lang])
    .map((key) => new RegExp(`^verifier\\.reason\\.(${verdict}\\..+)\\.text$`).exec(key)?.[1])
    .filter((reason) => reason && said.includes(words[lang][`verifier.reason.${reason}.text`]));
}

// unissuedCode is a well-formed code that nobody was ever given. the check character is the sum of
// a·2^i in GF(32) with x^5+x^2+1.
export function unissuedCode() {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const letters = Array.from({ length: 16 }, () => Math.floor(Math.random() * 32));
  const times = (a, b) => {
    let product = 0;
    for (; b > 0; b >>= 1, a = (a << 1) ^ (a & 16 ? 37 : 0)) if (b & 1) product ^= a;
    return product & 31;
  };
  let sum = 0, power = 1;
  for (const a of letters) sum ^= times(a, power = times(power, 2));
  return [...letters, sum].map((a) => alphabet[a]).join('').replace(/(.{4})(?=.)/g, '$1-');
}
