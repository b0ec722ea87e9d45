import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { RequestOptions } from '../people/request-access.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'request <resource-or-entry>',
    'ask for access to a resource or an entry, by name or id',
    'claviger request db-prod --for 30m --reason "slow query in ticket 4711" --wait',
  )
    .requiredOption('--for <duration>', 'how long, e.g. 30m, 2h')
    .requiredOption('--reason <text>', 'why; approvers and auditors read it')
    .option('--ticket <text>', 'ticket that it belongs to')
    .option('--wait', 'wait for the decision: exit code 0 approved, 3 denied, 4 still pending')
    .option('--timeout <duration>', 'how long to wait', '5m');
  withConnectionOptions(command).action(async (subject: string, options: RequestOptions) => {
    const { requestAccess } = await import('../people/request-access.ts');
    process.exitCode = await requestAccess(subject, options);
  });
}
