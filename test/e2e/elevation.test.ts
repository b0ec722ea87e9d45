import { randomUUID } from 'node:crypto';
import {
  connectNetwork,
  enrolSecondFactor,
  eventually,
  type Network,
  type RestAnswer,
  type RestClient,
  type TestTenant,
} from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Device, enrolDevice, promptOf, reportPrompt } from '../support/elevation.ts';
import { type Call, type State, step } from '../support/elevation-model.ts';
import { linearise, type Observed } from '../support/linearise.ts';

const REQUESTS = '/api/v1/pam/elevation-requests';

let network: Network;
let tenant: TestTenant;
let admin: RestClient;
let deciders: RestClient[];
let device: Device;
let urls: readonly string[];

const fresh = async (roles: readonly string[]): Promise<RestClient & { id: string }> => {
  const user = await tenant.createUser(roles);
  await enrolSecondFactor(user.client);
  return { ...user.client, id: user.id };
};

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  urls = network.access.urls;
  tenant = await network.createTenant();
  admin = tenant.admin.client;
  deciders = await Promise.all(Array.from({ length: 4 }, () => fresh(['administrator'])));
  device = await enrolDevice(admin);
});
afterAll(() => network?.[Symbol.asyncDispose]());

const approve = (client: RestClient, id: string) =>
  client.post(`${REQUESTS}/${id}/respond`, { decision: 'approve' });
const deny = (client: RestClient, id: string) =>
  client.post(`${REQUESTS}/${id}/respond`, { decision: 'deny', reason: 'not today' });
const revoke = (client: RestClient, id: string) =>
  client.post(`${REQUESTS}/${id}/revoke`, { reason: 'enough' });
const actuate = (client: RestClient, id: string, of = device) =>
  client.post(`/api/v1/devices/${of.id}/actuate-elevation`, { elevationRequestId: id });
const codeOf = (answer: RestAnswer): string => (answer.status < 300 ? 'ok' : (answer.body.code as string));

test('the whole path of a prompt: reported, approved, actuated once, carried out, revoked, undone', async () => {
  const { id: deviceId, agent } = device;
  const id = await reportPrompt(device);
  const [decider] = deciders as [RestClient];
  const listed = await admin.must('GET', `${REQUESTS}?status=pending&deviceId=${deviceId}`);
  expect(listed).toMatchObject({ success: true, pagination: { page: 1, limit: 50, total: 1 } });
  expect((listed.requests as object[])[0]).toMatchObject({
    id,
    orgId: tenant.id,
    deviceId,
    deviceHostname: device.hostname,
    siteName: null,
    flowType: 'uac_intercept',
    status: 'pending',
    subjectUsername: 'acme\\sarah',
    targetExecutableSigner: 'Mozilla Corporation',
    approvedByName: null,
    deniedByName: null,
    revokedByName: null,
    matchedPolicyName: null,
    pamRuleId: null,
    pamRuleName: null,
    decisionSource: null,
  });
  expect(listed.requests).not.toMatchObject([{ toolName: expect.anything() }]);
  // Like an agent: polls again after an empty answer.
  const waiting = eventually(async () => {
    const { commands } = await agent.must('GET', `/api/v1/agents/${deviceId}/commands?waitSeconds=20`);
    if ((commands as object[]).length === 0) throw new Error('no command');
    return commands;
  });
  expect((await approve(decider.at(urls[1]!), id)).body).toEqual({ success: true, id, status: 'approved' });
  const told = await actuate(decider, id);
  expect(told.status).toBe(201);
  expect(told.body).toEqual({ success: true, commandId: expect.any(String), elevationRequestId: id });
  const { commandId } = told.body;
  expect(await waiting).toEqual([
    { id: commandId, type: 'actuate_elevation', elevationRequestId: id, timeoutMs: 8_000 },
  ]);
  const outcome = await agent.post(`/api/v1/agents/${deviceId}/commands/${commandId}/outcome`, {
    outcome: 'succeeded',
  });
  expect(outcome.status).toBe(200);
  const { active } = await admin.must('GET', '/api/v1/pam/active');
  expect(active).toMatchObject([{ id, status: 'actuating', actuationOutcome: 'succeeded' }]);
  expect((await revoke(decider, id)).body).toEqual({ success: true, id, status: 'revoked' });
  const after = await agent.must('GET', `/api/v1/agents/${deviceId}/commands`);
  expect(after.commands).toMatchObject([{ type: 'revoke_elevation', elevationRequestId: id }]);
});

describe('a hundred calls at once on one elevation, through two gateways', () => {
  /**
   * The elevation and its history. The round is repeated if a call was cut off, because its effect is
   * unknown.
   */
  async function race(from: State): Promise<{ id: string; observed: Observed<Call>[] }> {
    const id = await reportPrompt(device);
    if (from === 'approved') expect((await approve(deciders[0]!, id)).status).toBe(200);
    const kinds = (['approve', 'actuate', 'revoke', 'approve', 'deny'] as const).filter(
      (kind) => from === 'pending' || kind !== 'deny',
    );
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const move = kinds[index % kinds.length]!;
        const client = deciders[index % deciders.length]!.at(urls[index % urls.length]!);
        const sentAtMs = performance.now();
        const answer = await moves[move](client, id);
        return {
          status: answer.status,
          call: { move, code: codeOf(answer) },
          sentAtMs,
          answeredAtMs: performance.now(),
        };
      }),
    );
    const cutOff = answers.find(({ status }) => status >= 500);
    if (cutOff) throw new Error(`a call was answered ${cutOff.status}`);
    return { id, observed: answers };
  }

  const moves = { approve, deny, revoke, actuate };
  test.each(['pending', 'approved'] as const)(
    'from %s: the history is one that a single thread could have made',
    async (from) => {
      const { id, observed } = await eventually(() => race(from));
      const order = linearise<Call, State>(observed, from, step);
      expect(order ?? observed).toBe(order);
      const done = order!.filter(({ code }) => code === 'ok').map(({ move }) => move);
      const { status } = await admin.must('GET', `${REQUESTS}/${id}`);
      expect(status).toBe(order!.reduce<State>((state, call) => step(state, call)!, from));
      // The log contains the same transitions, each once.
      const count = (...of: Call['move'][]) => done.filter((move) => of.includes(move)).length;
      const decided = count('approve', 'deny') + (from === 'approved' ? 1 : 0);
      await eventually(
        async () =>
          expect({
            decided: await allowed('decided', id),
            actuated: await allowed('actuated', id),
            revoked: await allowed('revoked', id),
          }).toEqual({ decided, actuated: count('actuate'), revoked: count('revoke') }),
        { timeoutMs: 100_000, intervalMs: 250 },
      );
    },
  );

  /** Number of allowed events of an action for an elevation in the log. */
  async function allowed(action: string, id: string): Promise<number> {
    const { items } = await admin.must(
      'GET',
      `/api/v1/audit/events?action=elevation.${action}&outcome=allowed&subjectId=${id}`,
    );
    return (items as { subjectId: string }[]).filter((event) => event.subjectId === id).length;
  }
});

describe('refusals', () => {
  test('409 wrong_status after a decision, 409 race_lost during an actuation or a concurrent change', async () => {
    const [decider] = deciders as [RestClient];
    const id = await reportPrompt(device);
    expect(codeOf(await actuate(decider, id))).toBe('wrong_status');
    expect(codeOf(await revoke(decider, id))).toBe('wrong_status');
    expect(codeOf(await approve(decider, id))).toBe('ok');
    expect(codeOf(await approve(decider, id))).toBe('wrong_status');
    expect(codeOf(await actuate(decider, id))).toBe('ok');
    const late = await actuate(decider, id);
    expect([late.status, late.body.code]).toEqual([409, 'race_lost']);
    // Repeats until both calls read the status pending before either decides.
    const winners: number[] = [];
    await eventually(async () => {
      const raced = await reportPrompt(device);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) => approve(deciders[index % 4]!.at(urls[index % 2]!), raced)),
      );
      winners.push(answers.filter(({ status }) => status === 200).length);
      if (!answers.some((answer) => codeOf(answer) === 'race_lost')) throw new Error('nobody lost the race');
    });
    // At most one success in each race; a call that was cut off may be the success.
    expect(Math.max(...winners)).toBe(1);
  });

  test('403 without a recent second factor, without effect', async () => {
    const { client } = await tenant.createUser(['administrator']);
    const id = await reportPrompt(device);
    for (const answer of [await approve(client, id), await revoke(client, id), await actuate(client, id)])
      expect([answer.status, answer.body.code]).toEqual([403, 'mfa_not_satisfied']);
    expect(await admin.must('GET', `${REQUESTS}/${id}`)).toMatchObject({ status: 'pending' });
  });

  test('403 for another site, also for a device; lists are filtered', async () => {
    const site = async () => (await admin.must('POST', '/api/v1/sites', { name: randomUUID() })).id as string;
    const [here, there] = [await site(), await site()];
    const kept = await fresh(['administrator']);
    await deciders[0]!.must('PUT', `/api/v1/users/${kept.id}/sites`, { restricted: true, siteIds: [here] });
    const [near, far] = [await enrolDevice(admin, here), await enrolDevice(admin, there)];
    const [mine, theirs] = [await reportPrompt(near), await reportPrompt(far)];
    const { requests } = await kept.must('GET', REQUESTS);
    expect((requests as { id: string }[]).map((each) => each.id)).toEqual([mine]);
    for (const answer of [await approve(kept, theirs), await actuate(kept, theirs, far)])
      expect([answer.status, answer.body.code]).toEqual([403, 'site_denied']);
    expect((await kept.get(`${REQUESTS}?siteId=${there}`)).status).toBe(403);
    expect((await kept.get(`${REQUESTS}/${theirs}`)).status).toBe(404);
    expect((await approve(kept, mine)).status).toBe(200);
  });

  test('403 own_device for the person who enrolled the device or was identified at it, under any name of the prompt', async () => {
    const [owner, seen] = [await fresh(['administrator']), await fresh(['administrator'])];
    const own = await enrolDevice(owner);
    const name = `acme\\${randomUUID()}`;
    await deciders[0]!.must('PUT', `/api/v1/users/${seen.id}/directory-identity`, {
      accountNames: [name],
      groups: [],
    });
    await reportPrompt(own, { subject_username: name });
    const id = await reportPrompt(own, { subject_username: 'WS-04\\local' });
    for (const client of [owner, seen])
      for (const answer of [await approve(client, id), await deny(client, id)])
        expect([answer.status, answer.body.code]).toEqual([403, 'own_device']);
    expect((await approve(deciders[0]!, id)).status).toBe(200);
  });

  test('403 if the actuator is disabled, 400 for a decommissioned device', async () => {
    const [decider] = deciders as [RestClient];
    const gone = await enrolDevice(admin);
    const id = await reportPrompt(gone);
    expect((await approve(decider, id)).status).toBe(200);
    await admin.must('POST', `/api/v1/devices/${gone.id}/decommission`, { reason: 'scrapped' });
    const refused = await actuate(decider, id, gone);
    expect([refused.status, refused.body.code]).toEqual([400, 'device_decommissioned']);
    const set = (value: boolean) =>
      decider.must('PUT', '/api/v1/admin/config', { values: { elevation: { actuatorEnabled: value } } });
    const other = await reportPrompt(device);
    expect((await approve(decider, other)).status).toBe(200);
    await set(false);
    try {
      await eventually(async () => {
        const off = await actuate(decider, randomUUID());
        expect([off.status, off.body.code]).toEqual([403, 'actuator_disabled']);
      });
    } finally {
      await set(true);
    }
  });

  test('404 for another organisation, with the text for an unknown id; 400 for an invalid id and body', async () => {
    const stranger = (await network.createTenant()).admin.client;
    await enrolSecondFactor(stranger);
    const id = await reportPrompt(device);
    for (const call of [approve, revoke, actuate]) {
      expect((await call(stranger, id)).status).toBe(404);
    }
    const [decider] = deciders as [RestClient];
    expect((await approve(decider, 'not-an-id')).status).toBe(400);
    for (const body of [{}, { decision: 'maybe' }, { decision: 'approve', durationMinutes: 1_441 }])
      expect((await decider.post(`${REQUESTS}/${id}/respond`, body)).status).toBe(400);
    expect((await decider.post(`${REQUESTS}/${id}/revoke`, { reason: '' })).status).toBe(400);
    expect((await decider.get(`${REQUESTS}?limit=101`)).status).toBe(400);
  });
});

describe('agents', () => {
  const report = (client: RestClient, deviceId: string, body: unknown = promptOf(), raw?: string) =>
    client.post(`/api/v1/agents/${deviceId}/elevation-requests`, body, raw === undefined ? {} : { raw });

  test('H-190 a token is valid for its own device: another 403, another organisation 404, a person 403', async () => {
    const other = await enrolDevice(admin);
    const foreign = await enrolDevice((await network.createTenant()).admin.client);
    expect((await report(device.agent, other.id)).status).toBe(403);
    expect((await report(device.agent, foreign.id)).status).toBe(404);
    expect((await report(admin, device.id)).status).toBe(403);
    expect((await device.agent.get(REQUESTS)).status).toBe(403);
  });

  test('a repeated report at any gateway is answered with its request; an old one is refused', async () => {
    const prompt = promptOf();
    const first = await report(device.agent, device.id, prompt);
    expect(first.status).toBe(201);
    for (const url of urls) {
      const again = await report(device.agent.at(url), device.id, prompt);
      expect([again.status, again.body]).toEqual([
        200,
        { id: first.body.id, status: 'pending', repeated: true },
      ]);
    }
    const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString();
    const old = await report(device.agent, device.id, promptOf({ observed_at: yesterday }));
    expect([old.status, old.body.code]).toEqual([400, 'observation_too_old']);
  });

  test('H-192 a body of 32,769 bytes is 413, one of 32,768 is read; JSON of 10,000 levels is 400', async () => {
    const padded = (bytes: number) => {
      const body = JSON.stringify(promptOf());
      return body.slice(0, -1) + ' '.repeat(bytes - Buffer.byteLength(body)) + body.slice(-1);
    };
    expect((await report(device.agent, device.id, undefined, padded(32_768))).status).toBe(201);
    expect((await report(device.agent, device.id, undefined, padded(32_769))).status).toBe(413);
    const deep = `{"subject_username":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    expect((await report(device.agent, device.id, undefined, deep)).status).toBe(400);
  });

  test('H-195 NUL and half characters are refused with the field; odd paths are recorded and wait', async () => {
    for (const path of ['C:\\a\u0000b.exe', 'C:\\\ud800.exe']) {
      const refused = await report(device.agent, device.id, promptOf({ target_executable_path: path }));
      expect(refused.status).toBe(400);
    }
    for (const path of [
      'C:\\a\\..\\..\\b.exe',
      'C:\\PROGRA~1\\x.exe',
      'C:\\x.exe::$DATA',
      'C:\\\u202Eexe.x',
    ]) {
      const answer = await report(device.agent, device.id, promptOf({ target_executable_path: path }));
      expect([answer.status, answer.body.status]).toEqual([201, 'pending']);
    }
  });

  test('an ignored prompt is answered with 200 and a null id, and leaves no request', async () => {
    const [decider] = deciders as [RestClient];
    const signer = `Quiet ${randomUUID()}`;
    await decider.must('POST', '/api/v1/pam/rules', {
      name: 'quiet',
      verdict: 'ignore',
      matchSigner: signer,
    });
    const answer = await report(device.agent, device.id, promptOf({ target_executable_signer: signer }));
    expect([answer.status, answer.text]).toEqual([200, '{"id":null,"status":"ignored"}']);
  });
});
