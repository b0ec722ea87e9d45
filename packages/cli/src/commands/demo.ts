import type { DemoOptions } from '@claviger/demo/run-demo';
import type { Command } from 'commander';
import { peopleCommand } from '../command-options.ts';

export function register(program: Command): void {
  peopleCommand(
    program,
    'demo',
    'run the main use case step by step, on a real PostgreSQL role and a real Linux account',
    'claviger demo',
  )
    .option('--here', 'use the installation that runs here (only while it has no user)')
    .option('--without-ssh', 'skip the Linux account behind sshd, which requires root')
    .action(async ({ here = false, withoutSsh = false }: { here?: boolean; withoutSsh?: boolean }) => {
      const { runDemo } = await import('@claviger/demo/run-demo');
      const options: DemoOptions = { here, ssh: !withoutSsh };
      process.exitCode = await runDemo(options);
    });
}
