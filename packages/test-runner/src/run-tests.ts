import { relative } from 'node:path';
import { repositoryRoot } from '@claviger/installation/host-settings';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import { startCpuMeter } from './cpu-meter.ts';
import { useMemoryFolder } from './memory-folder.ts';
import { quickChecks, runChecks, runStep } from './run-step.ts';
import { runVitest } from './run-vitest.ts';
import { ensureTestTools } from './test-tools.ts';

const slowestTests = './test/support/slowest-tests.ts';

/**
 * The command `test`. The quick checks come first, the tests last, so that their summary closes the output.
 */
export async function runTests(vitestArgs: readonly string[]): Promise<ExitCode> {
  await ensureTestTools();
  using _memory = useMemoryFolder();
  const meter = startCpuMeter();
  const startedAt = performance.now();
  const failed = await runChecks(repositoryRoot, quickChecks);
  // Said before the tests run, because their closing lines stay last.
  if (failed.length > 0) tell(`== FAILED: ${failed.join(', ')}; running the tests all the same`);
  tell('== tests');
  const args = ['--project', '!extended', ...vitestArgs];
  const { passed, flaky } = await runVitest(repositoryRoot, args, [slowestTests]);
  tell(`wall time ${minutes((performance.now() - startedAt) / 1_000)}, CPU time ${minutes(meter.stop())}`);
  for (const file of flaky) tell(`FLAKY ${relative(repositoryRoot, file)}: it failed, then passed alone`);
  if (failed.length > 0) tell(`FAILED before the tests: ${failed.join(', ')}`);
  return passed && failed.length === 0 ? EXIT.ok : EXIT.error;
}

/**
 * The command `test --extended`: what takes long, is large, or needs package registries; one file after the
 * other.
 */
export async function runExtendedTests(vitestArgs: readonly string[]): Promise<ExitCode> {
  await ensureTestTools();
  const meter = startCpuMeter();
  const startedAt = performance.now();
  const args = ['run', '--project', 'extended', '--no-file-parallelism', ...vitestArgs];
  const passed = await runStep(repositoryRoot, 'vitest', args);
  tell(`wall time ${minutes((performance.now() - startedAt) / 1_000)}, CPU time ${minutes(meter.stop())}`);
  return passed ? EXIT.ok : EXIT.error;
}

/** E.g. `9 min 5 s`. */
function minutes(seconds: number | undefined): string {
  if (seconds === undefined) return 'unknown (this system has no /proc)';
  const whole = Math.round(seconds);
  return whole < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
