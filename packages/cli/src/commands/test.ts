import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('test')
    .description('run everything the project checks: lint, types, generated code, tests')
    .option('--extended', 'run only the tests that need tools of package registries, Python 3.10 and Go 1.26')
    .argument('[vitest...]', 'what to hand to vitest, e.g. a file or a name')
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nExample:\n  claviger test\n  claviger test packages/parts\n  claviger test --extended',
    )
    .action(async (vitest: readonly string[], { extended }: { extended?: boolean }) => {
      const { runExtendedTests, runTests } = await import('../operator/run-tests.ts');
      process.exitCode = await (extended ? runExtendedTests(vitest) : runTests(vitest));
    });
}
