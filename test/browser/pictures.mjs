// The README's pictures, taken from the running program in Azerbaijani: `make pictures`. Look at them before committing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { apply, becomes, drawn, members, refer, signMemberIn, subjects } from './assess.mjs';
import { bank, check, draw, kept, launch, people, root, signIn, start, visitor } from './harness.mjs';

const run = promisify(execFile);
const folder = path.join(root, 'docs/pictures');
const width = 1100; // px: nothing wraps, and two beside each other are still read in the README
const heaviest = 150_000; // bytes a picture

// At the port of the README, because the excerpt's QR and the cabinet name the address. Then `make run` cannot run.
const s = { demo: await start(8080) };
try {
  s.chromium = await launch();
  await mkdir(folder, { recursive: true });
  await take();
} finally {
  await s.chromium?.close();
  await s.demo.stop();
}

async function take() {
  const citizen = await visitor(s, { lang: 'az', viewport: { width, height: 800 } });
  await signIn(citizen.page, people.citizen);
  const disability = await draw(citizen.page, 'examination', { recipient: bank, purpose: 'kredit üçün' });
  const job = await draw(citizen.page, 'contract', { salary: true, recipient: bank, purpose: 'kredit üçün' });
  await shoot(citizen.page, 'cabinet', '/cabinet?lang=az');

  await citizen.page.goto(`/cabinet/excerpts/${disability.number}`);
  const [download] = await Promise.all([citizen.page.waitForEvent('download'), citizen.page.locator('a[href$="/pdf"]').click()]);
  const file = await kept(s, download);
  await run('pdftoppm', ['-r', '70', '-png', '-singlefile', '-f', '1', file, path.join(folder, 'excerpt')]);
  await light('excerpt');

  const clerk = await visitor(s, { lang: 'az', viewport: { width, height: 800 } });
  await signIn(clerk.page, people.clerk, { organisation: bank });
  await check(clerk.page, { code: job.code, note: 'müqavilə 17-2026' });
  await check(clerk.page, { file });
  await shoot(clerk.page, 'verdict', `${new URL(clerk.page.url()).pathname}?lang=az`);
  await clerk.close();

  const employer = await visitor(s, { lang: 'az' });
  await signIn(employer.page, people.employer, { organisation: 'Nümunə Market' });
  await employer.page.goto(`/v/${disability.code}`);
  await employer.page.locator('input[value=employment]').check();
  await employer.page.locator('main form button').click();
  await employer.page.waitForURL(/\/checked\//);
  await employer.close();

  await shoot(citizen.page, 'checks-of-mine', '/cabinet/checks-of-mine?lang=az');

  const applicant = await visitor(s, { lang: 'az', viewport: { width, height: 800 } });
  await signIn(applicant.page, people.refused);
  const decided = await apply(applicant.page);
  await becomes(applicant.page, decided, (html) => html.includes('class="verdict'), 'decided');
  await shoot(applicant.page, 'decision', `${decided}?lang=az`);
  await applicant.close();

  const all = await members(s);
  await refer(s, subjects.nermin);
  const [chair] = await drawn(all, 3);
  await Promise.all(all.map((m) => m.close()));
  const member = await visitor(s, { lang: 'az', viewport: { width, height: 800 } });
  await signMemberIn(member.page, chair.name);
  await shoot(member.page, 'commission', `${chair.address}?lang=az`);
  await member.close();
  await citizen.close();
}

// shoot takes a page down to the end of what it says, not further than a README bears.
async function shoot(page, name, address) {
  await page.goto(address);
  const end = await page.evaluate(() => Math.ceil(document.querySelector('main > .wrap').lastElementChild.getBoundingClientRect().bottom + scrollY));
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(end + 24, 1150) } });
  await light(name);
}

// light brings a picture to 128 colours, where there is ImageMagick for it, and sees how heavy it is.
async function light(name) {
  const file = path.join(folder, `${name}.png`);
  const { stdout } = await run('convert', ['-version']).catch(() => ({ stdout: '' }));
  if (/^Version: ImageMagick/.test(stdout)) await run('convert', [file, '-strip', '-colors', '128', `png8:${file}`]);
  const { size } = await stat(file);
  assert.ok(size <= heaviest, `${name}.png has ${size} bytes`);
  console.log(`docs/pictures/${name}.png: ${size} bytes`);
}
