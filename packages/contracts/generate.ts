/**
 * Makes src/generated from proto/. `--check` fails when what is committed differs from what would be made.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const generated = join(import.meta.dirname, 'src/generated');
const check = process.argv.includes('--check');
const before = mkdtempSync(join(tmpdir(), 'claviger-generated-'));
try {
  if (check) cpSync(generated, before, { recursive: true });
  execFileSync(join(root, 'node_modules/.bin/buf'), ['lint'], { cwd: join(root, 'proto'), stdio: 'inherit' });
  rmSync(generated, { recursive: true, force: true });
  execFileSync(join(root, 'node_modules/.bin/buf'), ['generate'], {
    cwd: join(root, 'proto'),
    stdio: 'inherit',
  });
  for (const file of globSync('**/*.ts', { cwd: generated })) {
    // The generator's own metadata constants are deeply readonly and do not fit its mutable interface; what the
    // files export is typed all the same.
    const path = join(generated, file);
    writeFileSync(path, `// @ts-nocheck\n${readFileSync(path, 'utf8')}`);
  }
  if (check) {
    try {
      execFileSync('diff', ['-r', '-q', before, generated], { stdio: 'inherit' });
    } catch {
      console.error(
        'packages/contracts/src/generated is not what proto/ makes: run `pnpm generate` and commit.',
      );
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(before, { recursive: true, force: true });
}
