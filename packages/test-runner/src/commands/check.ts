import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('check')
    .description(
      'check a change in under two minutes: format, types, generated code, guards, unit tests of what changed',
    )
    .option('--since <commit>', 'what the change is compared with; default: where the branch left main')
    .addHelpText(
      'after',
      `
It runs the unit tests of the files that changed since the branch left main, and of the uncommitted ones, the nearest
twenty files at most. It names how many it leaves out. "claviger test" runs all tests.

Example:
  claviger check
  claviger check --since HEAD~3`,
    )
    .action(async ({ since }: { since?: string }) => {
      const { check } = await import('../check.ts');
      process.exitCode = await check(since);
    });
}
