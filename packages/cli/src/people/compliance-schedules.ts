import * as compliance from '@claviger/contracts/audit/v1/compliance';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface ScheduleListOptions extends ConnectionOptions, ListOptions {}
export interface ScheduleCreateOptions extends ConnectionOptions {
  readonly cron: string;
  readonly timeZone?: string;
  readonly period?: string;
  readonly section?: string[];
  readonly bom?: boolean;
}

const service = compliance.ComplianceService;

const columns: readonly Column<compliance.Schedule>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['CRON', (row) => row.cron],
  ['ZONE', (row) => row.timeZone],
  ['RANGE', (row) => row.period],
  ['NEXT', (row) => timeText(row.nextRuns[0])],
  ['LAST', (row) => timeText(row.lastRunAt)],
  ['PROBLEM', (row) => row.problem],
];

export function listSchedules(options: ScheduleListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) =>
    showList(await listItems(api, service.listSchedules, {}, options), columns, format),
  );
}

export function createSchedule(name: string, options: ScheduleCreateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { cron, timeZone = '', period = '', section = [], bom = false } = options;
    const answer = await api.call(service.createSchedule, {
      name,
      cron,
      timeZone,
      period,
      sections: section,
      bom,
    });
    const schedule = answer.schedule!;
    if (format === 'json') return showJson(schedule);
    say(
      fieldsText([
        ['schedule', schedule.id],
        ...schedule.nextRuns.map((run, n): [string, string] => [n === 0 ? 'runs' : '', timeText(run)]),
      ]),
    );
  });
}

export function deleteSchedule(scheduleId: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteSchedule, { scheduleId });
    tell('deleted');
  });
}
