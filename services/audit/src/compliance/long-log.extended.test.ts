import { afterAll, beforeAll } from 'vitest';
import { longLog } from './test-long-log.ts';
import { type ReportsBench, startReports } from './test-reports.ts';

let reports: ReportsBench;
beforeAll(async () => {
  reports = await startReports();
});
afterAll(async () => reports?.[Symbol.asyncDispose]());

// The whole package in memory would take well over 100 MiB.
longLog(() => reports, 100_000, 64);
