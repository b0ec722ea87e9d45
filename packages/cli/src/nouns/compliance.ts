import type { Noun } from '../contract/noun.ts';

const bom = 'begin CSV files with a byte order mark, which some spreadsheets need to show accented letters';
const section = 'only this section: events, access, rotations, approvals, break-glass, keys or controls';
const id = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';

export const noun: Noun = {
  about: 'reports for auditors that can be verified offline',
  services: ['ComplianceService'],
  elsewhere: ['GetAttestation'],
  views: {
    Report: {
      columns: [
        'ID  id; RANGE  {from} to {to}',
        [
          'STATE',
          (row: { state: string; progressPercent: number }) =>
            row.state === 'running' ? `running ${row.progressPercent} %` : row.state,
        ],
        'ASKED  createdAt',
        [
          'BY',
          (row: { scheduleId?: string; requestedByName: string }) =>
            row.scheduleId === undefined ? row.requestedByName : 'schedule',
        ],
        'BYTES  sizeBytes; NOTE  problem|note',
      ],
    },
    Schedule: {
      columns: [
        'ID  id; NAME  name; CRON  cron; ZONE  timeZone; RANGE  period; NEXT  nextRuns.0; LAST  lastRunAt',
        'PROBLEM  problem',
      ],
      fields: (row: { nextRuns: readonly string[] }) => [
        'schedule  id',
        ...row.nextRuns.map((_, n) => `${n === 0 ? 'runs' : ''}  nextRuns.${n}`),
      ],
    },
  },
  verbs: {
    report: {
      call: 'CreateReport',
      about: 'order a report of whole days (UTC)',
      example: 'compliance report --from 2026-01-01 --to 2026-03-31 --out q1.zip',
      flags: { sections: section, bom },
      options: ['--out <file>  wait for the report and write it to a new file'],
      run: async (running, request) =>
        (await import('../flows/compliance-report.ts')).orderReport(running, request),
    },
    list: { call: 'ListReports', about: 'list reports and their progress' },
    download: {
      call: 'DownloadReport',
      about: 'download a report',
      example: `compliance download ${id} --out q1.zip`,
      words: 'reportId=report-id',
      options: ['--out <file>!  new file'],
      run: async ({ api, options }, { reportId }) =>
        (await import('../flows/compliance-report.ts')).download(api, String(reportId), String(options.out)),
    },
  },
  nouns: {
    schedules: {
      about: 'schedules of recurring reports',
      services: [],
      verbs: {
        list: { call: 'ListSchedules', about: 'list schedules' },
        create: {
          call: 'CreateSchedule',
          about: 'order reports at these times',
          example:
            'compliance schedules create monthly --cron "0 6 1 * *" --time-zone Europe/Berlin --period month',
          words: 'name',
          flags: {
            cron: '--cron <pattern>!  minute, hour, day of the month, month, day of the week',
            timeZone: '--time-zone <zone>  IANA name; UTC when unset',
            period: '--period <period>  range of each report: the last complete period before the run',
            sections: section,
            bom,
          },
        },
        delete: {
          call: 'DeleteSchedule',
          about: 'delete a schedule',
          words: 'scheduleId=schedule-id',
        },
      },
    },
  },
  flows: async (noun) => (await import('../flows/compliance-offline.ts')).register(noun),
};
