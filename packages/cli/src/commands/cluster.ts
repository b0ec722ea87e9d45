import type { Command } from 'commander';
import type { ClusterOrderOptions } from '../people/cluster.ts';
import { nounCommand, peopleCommand, withConnectionOptions } from '../people/command-options.ts';

const work = () => import('../people/cluster.ts');

const ORDERS = [
  [
    'promote',
    'let a replica lead the duties of its service',
    'vault vault-2 --reason "vault-1 is to be replaced"',
  ],
  [
    'demote',
    'keep a replica from leading until it is readmitted',
    'vault vault-1 --reason "its disk is slow"',
  ],
  ['readmit', 'let a demoted replica stand again', 'vault vault-1 --reason "its disk was replaced"'],
] as const;

export function register(program: Command): void {
  const noun = nounCommand(program, 'cluster', 'the replicas of every service, and which of them lead');
  const status = peopleCommand(
    noun,
    'status',
    'show every replica: role, term, last heartbeat, version, and what waits; exit code 1 when degraded',
    'claviger cluster status',
  );
  withConnectionOptions(status).action(async (options) => {
    process.exitCode = await (await work()).clusterStatus(options);
  });
  for (const [name, purpose, example] of ORDERS) {
    const command = peopleCommand(
      noun,
      `${name} <service> <node>`,
      purpose,
      `claviger cluster ${name} ${example}`,
    ).requiredOption('--reason <text>', 'why, for the audit log');
    if (name === 'demote')
      command.option('--force', 'also the last replica that may lead: its service then does no duties');
    withConnectionOptions(command).action(
      async (service: string, node: string, options: ClusterOrderOptions) =>
        (await work()).clusterOrder(name, service, node, options),
    );
  }
}
