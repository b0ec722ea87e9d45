import { eventually } from '@claviger/testkit';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const JOBS = '/api/v1/admin/encryption/jobs';

/** Waits for the running job: a tenant has one key job at a time. */
async function idle({ admin }: World): Promise<void> {
  await eventually(
    async () => {
      const { items } = await admin.must('GET', `${JOBS}?pageSize=1`);
      const [latest] = items as { state: string }[];
      if (latest && latest.state !== 'done') throw new Error(`the latest job is ${latest.state}`);
    },
    { timeoutMs: 60_000, what: 'the end of the job on the keys' },
  );
}

async function someJob(world: World): Promise<string> {
  await idle(world);
  const { items } = await world.admin.must('GET', `${JOBS}?pageSize=1`);
  const [latest] = items as { id: string }[];
  if (latest) return latest.id;
  const job = await world.steppedUp.must('POST', '/api/v1/admin/encryption/repair', { reason: 'sample' });
  return job.id as string;
}

const asked = async (world: World): Promise<Sample> => {
  await idle(world);
  return { body: { reason: 'conformance' } };
};
const ofJob = async (world: World): Promise<Sample> => ({ params: { job_id: await someJob(world) } });

export const encryptionSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  RotateKek: asked,
  RepairKeys: asked,
  GetKeyJob: ofJob,
  ListKeyFindings: ofJob,
};

/** Four jobs with four findings each, so that their lists can be paged through. */
export async function fillKeyJobs(world: World): Promise<void> {
  const broken: string[] = [];
  for (let entry = 0; entry < 4; entry += 1) broken.push(await world.createEntry({ detached: true }));
  await world.superuser((client) =>
    client.query(`UPDATE vault.entry_versions SET wrapped_cek = '' WHERE entry_id = ANY($1)`, [broken]),
  );
  for (let job = 0; job < 4; job += 1) {
    await idle(world);
    await world.steppedUp.must('POST', '/api/v1/admin/encryption/repair', { reason: 'conformance' });
  }
  await idle(world);
}
