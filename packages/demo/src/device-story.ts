import { pollUntil } from '@claviger/api-client/poll';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import * as explanations from '@claviger/contracts/workflow/v1/explanations';
import * as rules from '@claviger/contracts/workflow/v1/rules';
import type { Cast } from './access-story.ts';
import { type DemoDevice, startDevice } from './demo-device.ts';
import { check, DemoFailure, type Narrator } from './narrator.ts';
import { type DemoServer, mustBeRefused, type Person } from './person.ts';
import { takeSecondFactor } from './second-factor.ts';

/** The elevations of the device, which end by themselves. */
export interface Elevated {
  readonly deviceId: string;
  /** The elevation that a rule decided, and the one that a person decided. */
  readonly requestIds: readonly string[];
}

const HOSTNAME = 'WIN-ACCT-04';
const SIGNED = {
  subject_username: 'acme\\alice',
  target_executable_path: 'C:\\Users\\alice\\Downloads\\FirefoxSetup.exe',
  target_executable_hash: 'a3'.repeat(32),
  target_executable_signer: 'Mozilla Corporation',
  parent_image: 'C:\\Windows\\explorer.exe',
};
const UNSIGNED = {
  ...SIGNED,
  target_executable_path: 'C:\\Users\\alice\\Downloads\\printer-driver.exe',
  target_executable_hash: 'b7'.repeat(32),
  target_executable_signer: '',
};
/** The shortest duration of an elevation. */
const MINUTES = 1;
const EXPIRED_WITHIN_MS = 180_000;

const requests = elevation.ElevationRequestsService;
const actuation = elevation.DeviceActuationService;

/**
 * A device reports two prompts: a rule decides one, a person the other, and the device runs each program
 * once.
 */
export async function deviceStory(
  narrator: Narrator,
  { admin, alice, bob }: Cast,
  server: DemoServer,
  hold: (device: DemoDevice) => Promise<DemoDevice>,
): Promise<Elevated> {
  for (const person of [admin, alice, bob]) await takeSecondFactor(person);
  narrator.shows('admin, alice and bob have proved a second factor');
  const { deviceId, agentToken } = await enrol(narrator, admin, alice);
  await addRule(narrator, admin);
  narrator.does(
    'device',
    `claviger agent --simulate --device ${deviceId} --token-file ./token --script prompts.json`,
  );
  const device = await hold(await startDevice(server, deviceId, agentToken, [SIGNED, UNSIGNED]));
  const [signed] = await device.told('reported', 1);
  check(
    narrator,
    'the signed installer is approved by the rule, at once',
    signed!.status === 'auto_approved',
  );
  // The device acts as soon as each is approved, because the elevations end soon.
  await letThrough(narrator, bob, deviceId, signed!.id!);
  const [, unsigned] = await device.told('reported', 2);
  check(narrator, 'the unsigned one waits for a person', unsigned!.status === 'pending');
  const requestIds = [signed!.id!, unsigned!.id!];
  await decide(narrator, alice, bob, unsigned!.id!);
  await letThrough(narrator, bob, deviceId, unsigned!.id!);
  const acted = (await device.told('actuated', 2)).map((line) => line.elevationRequestId);
  await device.told('outcome', 2);
  check(narrator, 'the device ran each program once, and reported it', same(acted, requestIds));
  for (const requestId of requestIds) await why(narrator, bob, requestId);
  return { deviceId, requestIds };
}

/** Shows that elevations end without any action. */
export async function elevationsEnd(
  narrator: Narrator,
  { bob }: Cast,
  { deviceId, requestIds }: Elevated,
): Promise<void> {
  narrator.does(bob.name, 'claviger elevations active');
  const active = await pollUntil(
    async () => (await bob.api.call(requests.listActiveElevations, {})).active.map(({ id }) => id),
    (ids) => !requestIds.some((id) => ids.includes(id)),
    { timeoutMs: EXPIRED_WITHIN_MS, everyMs: 1_000 },
  );
  check(narrator, 'neither is in force any more', !requestIds.some((id) => active.includes(id)));
  for (const id of requestIds) {
    const { request } = await bob.api.call(requests.getElevationRequest, { id });
    if (request!.status !== 'expired') throw new DemoFailure(`elevation ${id} is ${request!.status}`);
    await mustBeRefused(
      narrator,
      'allowing the device once more',
      { status: 409, code: 'wrong_status' },
      bob.api.call(actuation.actuateElevation, { id: deviceId, elevationRequestId: id }),
    );
  }
}

async function enrol(narrator: Narrator, admin: Person, alice: Person) {
  narrator.does(admin.name, `claviger devices enrol ${HOSTNAME} --output-file ./token`);
  const { device, agentToken } = await admin.api.call(devices.DevicesService.enrolDevice, {
    hostname: HOSTNAME,
    os: 'windows',
  });
  await admin.api.call(devices.DirectoryIdentitiesService.setDirectoryIdentity, {
    userId: alice.id,
    accountNames: [SIGNED.subject_username],
  });
  narrator.shows(
    `${HOSTNAME} is enrolled with a token of its own; alice signs in there as ${SIGNED.subject_username}`,
  );
  return { deviceId: device!.id, agentToken };
}

async function addRule(narrator: Narrator, admin: Person): Promise<void> {
  narrator.does(admin.name, 'claviger rules add --file mozilla.json');
  const { rule } = await admin.api.call(rules.PamRulesService.createRule, {
    name: 'Signed installers of Mozilla',
    verdict: 'auto_approve',
    matchSigner: SIGNED.target_executable_signer,
    approvalDurationMinutes: MINUTES,
  });
  narrator.shows(`the rule “${rule!.name}” is in force (version ${rule!.ruleSetVersion} of the rules)`);
}

async function decide(narrator: Narrator, alice: Person, bob: Person, id: string): Promise<void> {
  narrator.does(alice.name, `claviger elevations approve ${id}`);
  await mustBeRefused(
    narrator,
    'alice may decide about devices, but not about her own prompt',
    { status: 403, code: 'own_request' },
    alice.api.call(requests.respondToElevation, { id, decision: 'approve' }),
  );
  narrator.does(
    bob.name,
    `claviger elevations approve ${id} --for ${MINUTES}m --reason "the printer of the third floor"`,
  );
  const answer = await bob.api.call(requests.respondToElevation, {
    id,
    decision: 'approve',
    reason: 'the printer of the third floor',
    durationMinutes: MINUTES,
  });
  check(narrator, 'approved by bob', answer.status === 'approved');
}

async function letThrough(narrator: Narrator, bob: Person, deviceId: string, id: string): Promise<void> {
  narrator.does(bob.name, `claviger elevations actuate ${id}`);
  await bob.api.call(actuation.actuateElevation, { id: deviceId, elevationRequestId: id });
  await mustBeRefused(
    narrator,
    'a second go signal',
    { status: 409, code: 'race_lost' },
    bob.api.call(actuation.actuateElevation, { id: deviceId, elevationRequestId: id }),
  );
}

async function why(narrator: Narrator, bob: Person, id: string): Promise<void> {
  narrator.does(bob.name, `claviger why ${id}`);
  const { explanation } = await bob.api.call(explanations.ExplanationsService.explainElevation, {
    id,
  });
  const { summary, lines, decisions } = explanation!;
  if (summary === '' || decisions.length === 0) throw new DemoFailure(`${id} is not explained`);
  for (const line of [summary, ...lines]) narrator.note(line);
  for (const { by, name, decision } of decisions) narrator.note(`${decision} by ${name} (${by})`);
}

const same = (left: readonly (string | undefined)[], right: readonly string[]): boolean =>
  left.length === right.length && right.every((id) => left.includes(id));
