import { randomBytes, randomUUID } from 'node:crypto';
import { enrolSecondFactor } from '@claviger/testkit';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const RULES = '/api/v1/pam/rules';
const SOFTWARE = '/api/v1/pam/software-policy';

/** Matches a file that does not exist, so that other requests of the suite are not affected. */
const aboutNothing = () => ({ matchHash: randomBytes(32).toString('hex') });

const rule = (): object => ({
  name: `rule ${randomUUID().slice(0, 8)}`,
  verdict: 'auto_deny',
  priority: 50,
  siteId: null,
  approvalDurationMinutes: 30,
  timeWindow: { start: '22:00', end: '06:00', days: [1, 2], timezone: 'Europe/Berlin' },
  ...aboutNothing(),
});
const entry = (): object => ({ name: `entry ${randomUUID().slice(0, 8)}`, list: 'deny', ...aboutNothing() });

const newRule = async ({ steppedUp }: World): Promise<string> =>
  (await steppedUp.must('POST', RULES, rule())).id as string;
const newEntry = async ({ steppedUp }: World): Promise<string> =>
  (await steppedUp.must('POST', SOFTWARE, entry())).id as string;

/** At least four of each. */
export async function fillRules(world: World): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await newRule(world);
    await newEntry(world);
  }
}

export const ruleSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  GetRule: async (w) => ({ params: { id: await newRule(w) } }),
  CreateRule: () => ({ body: rule() }),
  UpdateRule: async (w) => ({
    params: { id: await newRule(w) },
    body: { priority: 40, timeWindow: null, approvalDurationMinutes: null },
  }),
  DeleteRule: async (w) => ({ params: { id: await newRule(w) } }),
  // A person other than the author.
  CoSignRule: async (w) => {
    const { client } = await w.tenant.createUser(['administrator']);
    await enrolSecondFactor(client);
    return { params: { id: await newRule(w) }, body: {}, client };
  },
  PreviewRule: () => ({ body: { ...aboutNothing(), windowDays: 7, flowType: 'uac_intercept' } }),
  ReplayRules: () => ({ body: { windowDays: 7, rules: [rule()], kind: 'elevation', samples: 5 } }),
  LintRules: () => ({ body: { rules: [rule()] } }),
  CreateSoftwareEntry: () => ({ body: entry() }),
  UpdateSoftwareEntry: async (w) => ({
    params: { id: await newEntry(w) },
    body: { name: 'another name', enabled: false },
  }),
  CoSignSoftwareEntry: async (w) => {
    const { client } = await w.tenant.createUser(['administrator']);
    await enrolSecondFactor(client);
    return { params: { id: await newEntry(w) }, body: {}, client };
  },
  DeleteSoftwareEntry: async (w) => ({ params: { id: await newEntry(w) } }),
};
