import * as exposure from '@claviger/contracts/vault/v1/exposure';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { entryId, userId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { subjectText } from './request-view.ts';
import { withSession } from './session.ts';
import { type Column, showJson, tableText, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface ExposureOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly past?: boolean;
}
export interface RotateExposureOptions extends ConnectionOptions {
  readonly reason: string;
  readonly entry?: string[];
}

const service = exposure.ExposureService;

const version: Column<exposure.Exposure> = [
  'VERSION',
  (row) => `${row.version}${row.current ? '' : ', former'}`,
];
const ways: readonly Column<exposure.Exposure>[] = [
  ['TIMES', (row) => row.times],
  ['LAST', (row) => timeText(row.lastSeenAt)],
  ['BY', (row) => [...new Set(row.paths.map(({ kind }) => kind))].join(' ')],
];
const ofUser: readonly Column<exposure.Exposure>[] = [
  ['ENTRY', (row) => row.entryId],
  ['WHAT', subjectText],
  version,
  ...ways,
  ['ROTATION', (row) => row.rotation],
];
const ofEntry: readonly Column<exposure.Exposure>[] = [
  ['WHO', (row) => row.userName || row.userId],
  version,
  ['FIRST', (row) => timeText(row.firstSeenAt)],
  ...ways,
];
const impossible: readonly Column<exposure.Unrotatable>[] = [
  ['BY HAND', (row) => row.entryName],
  ['WHY', (row) => row.reason],
];

export function showUserExposure(user: string, options: ExposureOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const filter = {
      userId: await userId(api, user),
      search: options.search ?? '',
      past: options.past ?? false,
    };
    showList(await listItems(api, service.getUserExposure, filter, options), ofUser, format);
  });
}

export function showEntryExposure(name: string, options: ExposureOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const filter = { entryId: await entryId(api, name), currentOnly: !options.past };
    showList(await listItems(api, service.getEntryExposure, filter, options), ofEntry, format);
  });
}

export function rotateExposure(user: string, options: RotateExposureOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const entryIds = await Promise.all((options.entry ?? []).map((name) => entryId(api, name)));
    const answer = await api.call(service.rotateUserExposure, {
      userId: await userId(api, user),
      reason: options.reason,
      entryIds,
    });
    if (format === 'json') return showJson(answer);
    tell(`${answer.queued} queued, ${answer.alreadyQueued} before, ${answer.impossible.length} impossible`);
    if (answer.impossible.length > 0) say(tableText(impossible, answer.impossible));
  });
}
