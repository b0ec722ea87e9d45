import { tableText } from '../contract/cells.ts';
import type { Column } from '../contract/noun.ts';
import { escapeText } from '../io/escape.ts';
import { say, tell } from '../output.ts';

interface Duty {
  readonly name: string;
  readonly waiting: number;
  readonly oldestMs: number;
  readonly failures: number;
}
interface Replica {
  readonly duties: readonly Duty[];
  readonly term: number;
  readonly lastHeartbeatAt?: string;
}
interface Cluster {
  readonly status: string;
  readonly services: readonly {
    readonly service: string;
    readonly leader: string;
    readonly problem: string;
    readonly replicas: readonly Replica[];
    readonly demoted: readonly {
      readonly node: string;
      readonly reason: string;
      readonly demotedBy: string;
    }[];
  }[];
}

const columns: readonly Column[] = [
  'SERVICE  service',
  'NODE  node',
  'ROLE  role',
  ['TERM', ({ term }: Replica) => (term === 0 ? '' : term)],
  ['HEARTBEAT', ({ lastHeartbeatAt }: Replica) => agoText(lastHeartbeatAt)],
  'VERSION  version',
  ['WAITING', ({ duties }: Replica) => duties.map(waitingText).filter(Boolean).join(', ')],
];

/** Every replica of every service, then what is wrong. */
export function printClusterStatus({ services, status }: Cluster): void {
  const rows = services.flatMap(({ replicas, service }) =>
    replicas.map((replica) => ({ ...replica, service })),
  );
  say(tableText(columns, rows));
  for (const { service, problem, leader, demoted } of services) {
    if (problem !== '') tell(`${service}: ${escapeText(problem)}`);
    else if (leader === '' && service !== 'gateway') tell(`${service}: nobody leads`);
    for (const { node, reason, demotedBy } of demoted)
      tell(escapeText(`${node} was demoted by ${demotedBy}: ${reason}`));
  }
  say(`the cluster is ${status}`);
}

function agoText(time: string | undefined): string {
  if (time === undefined) return '';
  return `${Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1_000))} s ago`;
}

function waitingText(duty: Duty): string {
  if (duty.failures > 0) return `${duty.name}: failing`;
  if (duty.waiting === 0) return '';
  return `${duty.name}: ${duty.waiting}, ${Math.round(duty.oldestMs / 1_000)} s old`;
}
