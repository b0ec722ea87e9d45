import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { say } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { listItems } from './paging.ts';
import { subjectText } from './request-view.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface GrantListOptions extends ConnectionOptions, ListOptions {
  readonly status?: string;
}
export interface RevokeOptions extends ConnectionOptions {
  readonly reason: string;
}

const service = workflow.GrantsService;

const columns: readonly Column<workflow.Grant>[] = [
  ['ID', (row) => row.id],
  ['STATUS', (row) => row.status],
  ['WHO', (row) => row.userName || row.userId],
  ['WHAT', subjectText],
  ['RECEIVED', (row) => timeText(row.credentialsDeliveredAt)],
  ['UNTIL', (row) => timeText(row.endedAt ?? row.expiresAt)],
];

/** The command `grants`. */
export function listGrants(options: GrantListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const filter = options.status === undefined ? {} : { status: options.status };
    showList(await listItems(api, service.listGrants, filter, options), columns, format);
  });
}

/** The command `revoke`. */
export function revokeGrant(grantId: string, options: RevokeOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { grant } = await api.call(service.revokeGrant, { grantId, reason: options.reason });
    showGrant(grant!, format);
  });
}

function showGrant(grant: workflow.Grant, format: OutputFormat): void {
  if (format === 'json') return showJson(grant);
  say(
    fieldsText([
      ['grant', grant.id],
      ['status', grant.status],
      ['who', grant.userName || grant.userId],
      ['what', subjectText(grant)],
      ['received', timeText(grant.credentialsDeliveredAt)],
      ['ended', timeText(grant.endedAt)],
      ['reason', grant.revokeReason],
      ['then', grant.rotateOnEnd ? 'what was received is rotated, where a connector reaches it' : ''],
    ]),
  );
}
