import { repositoryRoot } from '@claviger/installation/host-settings';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import { changedTests, mergeBase } from './changed-tests.ts';
import { useMemoryFolder } from './memory-folder.ts';
import { quickChecks, runChecks, runStep } from './run-step.ts';
import { ensureTestTools } from './test-tools.ts';

/** The command `check`: what finds most mistakes in under two minutes. `since` is a commit. */
export async function check(since: string | undefined): Promise<ExitCode> {
  await ensureTestTools();
  using _memory = useMemoryFolder();
  const startedAt = performance.now();
  const failed = await runChecks(repositoryRoot, quickChecks);
  const { files, leftOut } = await changedTests(repositoryRoot, since ?? (await mergeBase(repositoryRoot)));
  tell(`== guards, and ${files.length} test files of what changed`);
  if (leftOut > 0) tell(`left out: ${leftOut} more that import it; "claviger test" runs them`);
  const args = ['run', '--project', 'unit*', 'test/guards', ...files];
  if (!(await runStep(repositoryRoot, 'vitest', args))) failed.push('tests');
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  tell(failed.length === 0 ? `passed in ${seconds} s` : `FAILED in ${seconds} s: ${failed.join(', ')}`);
  return failed.length === 0 ? EXIT.ok : EXIT.error;
}
