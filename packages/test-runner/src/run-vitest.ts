import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tell } from '@claviger/terminal/output';
import { runStep } from './run-step.ts';

/** With more failed files than this, the run fails without a second try. */
const MOST_FLAKY_FILES = 2;

/** How a run of vitest ended. */
export interface VitestResult {
  readonly passed: boolean;
  /** Absolute paths of the files that failed first and passed alone. The run can pass nevertheless. */
  readonly flaky: readonly string[];
}

interface JsonReport {
  readonly testResults: readonly { readonly name: string; readonly status: string }[];
}

/**
 * Runs `vitest run` with these arguments in `folder`. Each file that fails, if they are two at most, is run
 * once more alone, with nothing beside it: if it passes then, it is flaky, and the run passes. Errors that
 * belong to no file fail the run. `reporters` are added to vitest's own.
 */
export async function runVitest(
  folder: string,
  args: readonly string[],
  reporters: readonly string[] = [],
): Promise<VitestResult> {
  const temporary = await mkdtemp(join(tmpdir(), 'claviger-test-'));
  try {
    const report = join(temporary, 'report.json');
    const shown = ['default', ...reporters, 'json'].map((each) => `--reporter=${each}`);
    const passed = await runStep(folder, 'vitest', ['run', ...args, ...shown, `--outputFile.json=${report}`]);
    if (passed) return { passed, flaky: [] };
    const failed = await failedFiles(report);
    if (failed.length === 0 || failed.length > MOST_FLAKY_FILES) return { passed, flaky: [] };
    const flaky: string[] = [];
    for (const file of failed) {
      tell(`== once more, alone: ${file}`);
      if (await runStep(folder, 'vitest', ['run', ...args, file])) flaky.push(file);
    }
    return { passed: flaky.length === failed.length, flaky };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Nothing when vitest ended before it could write its report, or when no file is to blame. */
async function failedFiles(report: string): Promise<string[]> {
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const { testResults } = JSON.parse(text) as JsonReport;
  return [...new Set(testResults.filter(({ status }) => status === 'failed').map(({ name }) => name))];
}
