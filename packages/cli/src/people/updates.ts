import * as updates from '@claviger/contracts/auth/v1/updates';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { withSession } from './session.ts';
import { type Column, showJson, tableText, timeText } from './show.ts';

const service = updates.UpdatesService;

const replicaColumns: readonly Column<updates.RunningReplica>[] = [
  ['SERVICE', (row) => row.service],
  ['NODE', (row) => row.node],
  ['VERSION', (row) => row.version],
  ['STARTED', (row) => timeText(row.startedAt)],
];

const schemaColumns: readonly Column<updates.SchemaStatus>[] = [
  ['SCHEMA', (row) => row.service],
  ['LAST MIGRATION', (row) => (row.known ? row.applied.at(-1)?.name : 'unknown')],
  ['APPLIED', (row) => timeText(row.applied.at(-1)?.appliedAt)],
  ['PENDING', (row) => row.pending.join(' ')],
  ['NEWER', (row) => row.newer.join(' ')],
];

const versionColumns: readonly Column<updates.ProductVersion>[] = [
  ['VERSION', (row) => row.version],
  ['FIRST SEEN', (row) => timeText(row.firstSeenAt)],
];

/** The command `updates`: what runs, what ran, and what was done to the data. */
export function updatesStatus(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const status = await api.call(service.getUpdatesStatus, {});
    if (format === 'json') return showJson(status);
    tell(`version ${status.version}, ${status.state}`);
    say(tableText(replicaColumns, status.replicas));
    say(tableText(schemaColumns, status.schemas));
    say(tableText(versionColumns, status.history));
  });
}
