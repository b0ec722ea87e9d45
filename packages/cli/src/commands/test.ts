import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('test')
    .description('run everything the project checks: lint, types, generated code, tests')
    .argument('[vitest...]', 'what to hand to vitest, e.g. a file or a name')
    .allowUnknownOption()
    .addHelpText('after', '\nExample:\n  claviger test\n  claviger test packages/parts')
    .action(async (vitest: readonly string[]) => {
      const { runTests } = await import('../operator/run-tests.ts');
      process.exitCode = await runTests(vitest);
    });
}
