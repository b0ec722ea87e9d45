import type { Noun } from '../contract/noun.ts';

const bom = 'begin the CSV files with a byte order mark: for spreadsheets that show accented letters wrongly';
const section = 'only these: events, access, rotations, approvals, break-glass, keys, controls';
const id = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';

export const noun: Noun = {
  about: 'packages for auditors, that verify without any server',
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
      about: 'have a package made of whole days (UTC)',
      example: 'compliance report --from 2026-01-01 --to 2026-03-31 --out q1.zip',
      flags: { sections: section, bom },
      options: ['--out <file>  wait for it and write it to a new file'],
      run: async (running, request) =>
        (await import('../flows/compliance-report.ts')).orderReport(running, request),
    },
    list: { call: 'ListReports', about: 'list packages and how far they are' },
    download: {
      call: 'DownloadReport',
      about: 'fetch a package',
      example: `compliance download ${id} --out q1.zip`,
      words: 'reportId=report-id',
      options: ['--out <file>!  new file'],
      run: async ({ api, options }, { reportId }) =>
        (await import('../flows/compliance-report.ts')).download(api, String(reportId), String(options.out)),
    },
  },
  nouns: {
    schedules: {
      about: 'packages that are made again and again',
      services: [],
      verbs: {
        list: { call: 'ListSchedules', about: 'list schedules' },
        create: {
          call: 'CreateSchedule',
          about: 'have packages made at these times',
          example:
            'compliance schedules create monthly --cron "0 6 1 * *" --time-zone Europe/Berlin --period month',
          words: 'name',
          flags: {
            cron: '--cron <pattern>!  minute, hour, day of the month, month, day of the week',
            timeZone: '--time-zone <zone>  IANA name; UTC when not given',
            period: '--period <period>  the last whole one before each run',
            sections: section,
            bom,
          },
        },
        delete: {
          call: 'DeleteSchedule',
          about: 'end a schedule',
          words: 'scheduleId=schedule-id',
        },
      },
    },
  },
  flows: async (noun) => (await import('../flows/compliance-offline.ts')).register(noun),
};
