import * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { withSession } from './session.ts';
import { type Column, showJson, tableText } from './show.ts';

export interface ClusterOrderOptions extends ConnectionOptions {
  readonly reason: string;
  /** Of `demote`: also the last replica that may lead. */
  readonly force?: boolean;
}

const service = clusterAdmin.ClusterAdminService;

interface Row extends replicas.Replica {
  readonly service: string;
}

const columns: readonly Column<Row>[] = [
  ['SERVICE', (row) => row.service],
  ['NODE', (row) => row.node],
  ['ROLE', (row) => row.role],
  ['TERM', (row) => (row.term === 0 ? '' : row.term)],
  ['HEARTBEAT', (row) => agoText(row.lastHeartbeatAt)],
  ['VERSION', (row) => row.version],
  ['WAITING', (row) => row.duties.map(waitingText).filter(Boolean).join(', ')],
];

/** Exit code 0 only when every service has a leader and every replica is heard of. */
export function clusterStatus(options: ConnectionOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const answer = await api.call(service.getClusterStatus, {});
    if (format === 'json') showJson(answer);
    else {
      const rows = answer.services.flatMap((each) =>
        each.replicas.map((replica) => ({ ...replica, service: each.service })),
      );
      say(tableText(columns, rows));
      for (const each of answer.services) {
        if (each.problem !== '') tell(`${each.service}: ${escapeText(each.problem)}`);
        else if (each.leader === '' && each.service !== 'gateway') tell(`${each.service}: nobody leads`);
        for (const { node, reason, demotedBy } of each.demoted)
          tell(`${escapeText(node)} was demoted by ${escapeText(demotedBy)}: ${escapeText(reason)}`);
      }
      say(`the cluster is ${answer.status}`);
    }
    return answer.status === 'ok' ? EXIT.ok : EXIT.error;
  });
}

export function clusterOrder(
  order: 'promote' | 'demote' | 'readmit',
  name: string,
  node: string,
  options: ClusterOrderOptions,
): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const request = { service: name, node, reason: options.reason };
    if (order === 'promote') {
      const answer = await api.call(service.promoteNode, request);
      if (format === 'json') return showJson(answer);
      return say(`${escapeText(node)} leads ${escapeText(name)} in term ${answer.term}`);
    }
    if (order === 'readmit') {
      const answer = await api.call(service.readmitNode, request);
      if (format === 'json') return showJson(answer);
      return say(`${escapeText(node)} ${answer.changed ? 'may lead again' : 'was not demoted'}`);
    }
    const answer = await api.call(service.demoteNode, { ...request, force: options.force ?? false });
    if (format === 'json') return showJson(answer);
    say(`${escapeText(node)} ${answer.changed ? 'may not lead any more' : 'was demoted before'}`);
    if (answer.wasLast)
      tell(`no replica of ${escapeText(name)} may lead now: its duties wait until one is readmitted`);
  });
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
