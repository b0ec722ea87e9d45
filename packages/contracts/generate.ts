/**
 * Makes src/generated from proto/. `--check` changes nothing and fails when what is committed differs from what would
 * be made.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const committed = join(import.meta.dirname, 'src/generated');
const scratch = mkdtempSync(join(tmpdir(), 'contracts-'));
// The output path of buf.gen.yaml is relative to proto/.
const made = join(scratch, 'packages/contracts/src/generated');
const buf = (...args: string[]) =>
  execFileSync(join(root, 'node_modules/.bin/buf'), args, { cwd: join(root, 'proto'), stdio: 'inherit' });
try {
  buf('lint');
  buf('generate', '--output', join(scratch, 'proto'));
  for (const file of globSync('**/*.ts', { cwd: made })) {
    // The generator's own metadata constants are deeply readonly and do not fit its mutable interface; what the
    // files export is typed all the same.
    const path = join(made, file);
    writeFileSync(path, `// @ts-nocheck\n${readFileSync(path, 'utf8')}`);
  }
  if (process.argv.includes('--check')) {
    try {
      execFileSync('diff', ['-r', '-q', committed, made], { stdio: 'inherit' });
    } catch {
      console.error(
        'packages/contracts/src/generated is not what proto/ makes: run `pnpm generate` and commit.',
      );
      process.exitCode = 1;
    }
  } else {
    const stale = globSync('**/*.ts', { cwd: committed }).filter(
      (file) => !globSync(file, { cwd: made }).length,
    );
    for (const file of stale) rmSync(join(committed, file));
    cpSync(made, committed, { recursive: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
