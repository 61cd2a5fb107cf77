// All browser tests, or the files that are named: as many files at once as there are cores, the longest first. `node --test`
// alone leaves one core idle, which of two is half of them.
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const longest = ['tseras.test.mjs', 'axe.test.mjs', 'input.test.mjs', 'inspector.test.mjs'];
const rank = (f) => (longest.includes(f) ? longest.indexOf(f) : longest.length);
const named = process.argv.slice(2);
const files = (named.length > 0 ? named : (await readdir(here)).filter((f) => f.endsWith('.test.mjs')).sort((a, b) => rank(a) - rank(b)))
  .map((f) => path.resolve(here, f));

run({ files, concurrency: availableParallelism() })
  .on('test:fail', () => { process.exitCode = 1; })
  .compose(new spec())
  .pipe(process.stdout);
