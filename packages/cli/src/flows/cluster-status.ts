import type * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import { escapeText } from '@claviger/terminal/escape';
import { say, tell } from '@claviger/terminal/output';
import { tableText } from '../contract/cells.ts';
import type { Column } from '../contract/noun.ts';

const columns: readonly Column[] = [
  'SERVICE  service',
  'NODE  node',
  'ROLE  role',
  ['TERM', ({ term }: replicas.Replica) => (term === 0 ? '' : term)],
  ['HEARTBEAT', ({ lastHeartbeatAt }: replicas.Replica) => agoText(lastHeartbeatAt)],
  'VERSION  version',
  ['WAITING', ({ duties }: replicas.Replica) => duties.map(waitingText).filter(Boolean).join(', ')],
];

/** Prints every replica of every service, then the problems. */
export function printClusterStatus({ services, status }: clusterAdmin.GetClusterStatusResponse): void {
  const rows = services.flatMap(({ replicas, service }) =>
    replicas.map((replica) => ({ ...replica, service })),
  );
  say(tableText(columns, rows));
  for (const { service, problem, leader, demoted } of services) {
    if (problem !== '') tell(`${service}: ${escapeText(problem)}`);
    else if (leader === '' && service !== 'gateway') tell(`${service}: no leader`);
    for (const { node, reason, demotedBy } of demoted)
      tell(escapeText(`${node} was demoted by ${demotedBy}: ${reason}`));
  }
  say(`the cluster is ${status}`);
}

function agoText(time: string | undefined): string {
  if (time === undefined) return '';
  return `${Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1_000))} s ago`;
}

function waitingText(duty: replicas.DutyStatus): string {
  if (duty.failures > 0) return `${duty.name}: failing`;
  if (duty.waiting === 0) return '';
  return `${duty.name}: ${duty.waiting}, ${Math.round(duty.oldestMs / 1_000)} s old`;
}
