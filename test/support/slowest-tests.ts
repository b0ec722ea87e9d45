import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 20;

/** Prints the slowest twenty files and the slowest twenty tests at the end of a run of several files. */
export default class SlowestTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length < 2) return;
    const files = modules.map((each) => {
      const { collectDuration, duration } = each.diagnostic();
      const cpu = each.meta().cpuSeconds;
      const note = cpu === undefined ? '' : `  cpu ${seconds(cpu * 1_000)}`;
      return { ms: collectDuration + duration, name: `${each.relativeModuleId}${note}` };
    });
    const tests = modules.flatMap((each) =>
      [...each.children.allTests()].map((test) => ({
        ms: test.diagnostic()?.duration ?? 0,
        name: `${each.relativeModuleId} > ${test.fullName}`,
      })),
    );
    console.log(['', ...list('files', files), '', ...list('tests', tests), ''].join('\n'));
  }
}

function list(what: string, timed: readonly { readonly ms: number; readonly name: string }[]): string[] {
  const slowest = timed.toSorted((a, b) => b.ms - a.ms).slice(0, SHOWN);
  return [`Slowest ${what}:`, ...slowest.map(({ ms, name }) => `${seconds(ms)}  ${name}`)];
}

/** E.g. `  12.3 s`. */
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;
