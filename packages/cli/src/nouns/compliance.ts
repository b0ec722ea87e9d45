import type { Noun } from '../contract/noun.ts';

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
      example: 'compliance report --from 2026-01-01 --to 2026-03-31 --out q1.zip',
      options: ['--out <file>  wait for the report and write it to a new file'],
      run: async (running, request) =>
        (await import('../flows/compliance-report.ts')).orderReport(running, request),
    },
    list: { call: 'ListReports' },
    download: {
      call: 'DownloadReport',
      example: `compliance download ${id} --out q1.zip`,
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
        list: { call: 'ListSchedules' },
        create: {
          call: 'CreateSchedule',
          example:
            'compliance schedules create monthly --cron "0 6 1 * *" --time-zone Europe/Berlin --period month',
        },
        delete: { call: 'DeleteSchedule' },
      },
    },
  },
  flows: async (noun) => (await import('../flows/compliance-offline.ts')).register(noun),
};
