import { randomUUID } from 'node:crypto';
import { eventually } from '@claviger/testkit';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const REPORTS = '/api/v1/compliance/reports';
const SCHEDULES = '/api/v1/compliance/schedules';
const range = { from: '2026-01-01', to: '2026-01-31' };

/** A schedule that is not due while the tests run. */
const yearly = () => ({ name: `yearly ${randomUUID().slice(0, 8)}`, cron: '0 6 1 1 *' });

async function order({ admin }: World): Promise<string> {
  const { id } = await admin.must('POST', REPORTS, range);
  return id as string;
}

async function readyReport(world: World): Promise<string> {
  const id = await order(world);
  await eventually(
    async () => {
      const { state, problem } = await world.admin.must('GET', `${REPORTS}/${id}`);
      if (state !== 'ready') throw new Error(`the report is ${state} ${problem}`);
    },
    { what: 'the package' },
  );
  return id;
}

export const complianceSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  CreateReport: () => ({ body: range }),
  ListReports: (world) => ({ client: world.auditor.client }),
  GetReport: async (world) => ({
    client: world.auditor.client,
    params: { report_id: await order(world) },
  }),
  DownloadReport: async (world) => ({ params: { report_id: await readyReport(world) } }),
  GetAttestation: (world) => ({ client: world.auditor.client }),
  ListSchedules: (world) => ({ client: world.auditor.client }),
  CreateSchedule: () => ({ body: yearly() }),
  DeleteSchedule: async ({ admin }) => {
    const { id } = await admin.must('POST', SCHEDULES, yearly());
    return { params: { schedule_id: id as string } };
  },
};

/** Final items for the tests of paging in both lists. */
export async function fillCompliance(world: World): Promise<void> {
  for (let n = 0; n < 4; n += 1) {
    await readyReport(world);
    await world.admin.must('POST', SCHEDULES, yearly());
  }
}
