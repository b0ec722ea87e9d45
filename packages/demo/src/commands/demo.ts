import { peopleCommand } from '@claviger/terminal/command-options';
import type { Command } from 'commander';
import type { DemoOptions } from '../run-demo.ts';

export function register(program: Command): void {
  peopleCommand(
    program,
    'demo',
    'run the main use cases step by step, on a real PostgreSQL role and a real Linux account',
    'claviger demo',
  )
    .option('--here', 'use the installation that runs here (only while it has no user)')
    .option('--without-ssh', 'skip the Linux account behind sshd, which requires root')
    .action(async ({ here = false, withoutSsh = false }: { here?: boolean; withoutSsh?: boolean }) => {
      const { runDemo } = await import('../run-demo.ts');
      const options: DemoOptions = { here, ssh: !withoutSsh };
      process.exitCode = await runDemo(options);
    });
}
