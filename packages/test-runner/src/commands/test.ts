import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('test')
    .description('run everything the project checks: lint, types, generated code, tests')
    .option(
      '--extended',
      'run only the long and large tests, and those that need package registries, Python 3.10 and Go 1.26',
    )
    .argument('[vitest...]', 'arguments for vitest, e.g. a file or a name')
    .allowUnknownOption()
    .addHelpText(
      'after',
      `
A test file that fails is run once more alone, if no more than two fail. If it passes then, the command names it
as FLAKY at the end and passes. The slowest files and tests, the wall time and the CPU time are printed at the end.

Example:
  claviger test
  claviger test packages/backing-servers
  claviger test --extended`,
    )
    .action(async (vitest: readonly string[], { extended }: { extended?: boolean }) => {
      const { runExtendedTests, runTests } = await import('../run-tests.ts');
      process.exitCode = await (extended ? runExtendedTests(vitest) : runTests(vitest));
    });
}
