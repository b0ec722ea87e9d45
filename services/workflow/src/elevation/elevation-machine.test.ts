import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Elevations, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { codeOf, type Tenant } from '../../test-support.ts';

/*
 * A model of the machine, independent of the handlers: a table of the answer of each call in each status.
 * The handlers, on a real PostgreSQL, must give the same answers and end in the same statuses, in any order.
 */

type Status = 'pending' | 'approved' | 'auto_approved' | 'denied' | 'expired' | 'revoked' | 'actuating';
type Call = 'approve' | 'deny' | 'revoke' | 'use' | 'report' | 'lapse' | 'sweep';

interface Model {
  status: Status;
  /** For an elevation of a device: whether the go signal was sent, and the reported outcome. */
  told: boolean;
  reported: string | undefined;
}

const LIVE: readonly Status[] = ['pending', 'approved', 'auto_approved', 'actuating'];

function predict(model: Model, call: Call, isTool: boolean): { code: string; model: Model } {
  const to = (status: Status, more: Partial<Model> = {}) => ({
    code: 'ok',
    model: { ...model, status, ...more },
  });
  const no = (code: string) => ({ code, model });
  switch (call) {
    case 'approve':
      return model.status === 'pending' ? to('approved') : no('wrong_status');
    case 'deny':
      return model.status === 'pending' ? to('denied') : no('wrong_status');
    case 'revoke':
      return LIVE.includes(model.status) && model.status !== 'pending' ? to('revoked') : no('wrong_status');
    case 'use':
      if (model.status === 'actuating') return no('race_lost');
      if (model.status !== 'approved' && model.status !== 'auto_approved') return no('wrong_status');
      return to('actuating', { told: !isTool });
    case 'report':
      return model.told ? { code: 'ok', model: { ...model, reported: 'succeeded' } } : no('not_found');
    case 'lapse':
      return LIVE.includes(model.status) ? to('expired') : { code: 'ok', model };
    case 'sweep':
      return { code: 'ok', model };
  }
}

let service: Elevations;
let tenant: Tenant;

beforeAll(async () => {
  service = await startElevations();
  tenant = service.tenant();
});
afterAll(() => service?.[Symbol.asyncDispose]());

async function begin(kind: 'prompt' | 'tool', approvedByRule: boolean) {
  const { elevations, devices } = service;
  service.decider.verdict = approvedByRule ? 'auto_approved' : 'pending';
  const agent = devices.add(tenant.tenantId);
  const [tool, decider] = [tenant.user(TECHNICIAN), tenant.user(TECHNICIAN)];
  const actionDigest = 'e'.repeat(64);
  const id =
    kind === 'prompt'
      ? await service.prompt(agent)
      : (
          await elevations.requestToolAction(tool, {
            toolName: 'shell',
            riskTier: 1,
            actionDigest,
            reason: 'why',
          })
        ).request!.id;
  let commandId = '00000000-0000-4000-8000-000000000000';
  const use = async () => {
    if (kind === 'tool') return elevations.claimToolAction(tool, { id, actionDigest });
    const told = await elevations.actuateElevation(decider, { id: agent.userId, elevationRequestId: id });
    commandId = told.commandId;
    return told;
  };
  const calls: Record<Call, () => Promise<unknown>> = {
    approve: () => elevations.respondToElevation(decider, { id, decision: 'approve' }),
    deny: () => elevations.respondToElevation(decider, { id, decision: 'deny', reason: 'no' }),
    revoke: () => elevations.revokeElevation(decider, { id, reason: 'enough' }),
    use,
    report: () =>
      elevations.reportCommandOutcome(agent, { id: agent.userId, commandId, outcome: 'succeeded' }),
    lapse: () => service.lapse(id),
    sweep: () => service.sweep(),
  };
  const shown = async () => {
    const { request } = await elevations.getElevationRequest(decider, { id });
    return { status: request!.status, reported: request!.actuationOutcome };
  };
  return { id, calls, shown };
}

const anyCall = fc.constantFrom<Call>('approve', 'deny', 'revoke', 'use', 'report', 'lapse', 'sweep');

test('handlers, rows, commands and events agree with the model, in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('prompt' as const, 'tool' as const),
      fc.boolean(),
      fc.array(anyCall, { maxLength: 12 }),
      async (kind, approvedByRule, calls) => {
        const real = await begin(kind, approvedByRule);
        let model: Model = {
          status: approvedByRule ? 'auto_approved' : 'pending',
          told: false,
          reported: undefined,
        };
        const moves: Status[] = [];
        for (const call of calls) {
          const predicted = predict(model, call, kind === 'tool');
          expect({ call, code: await codeOf(real.calls[call]()) }).toEqual({ call, code: predicted.code });
          if (predicted.model.status !== model.status && call !== 'lapse') moves.push(predicted.model.status);
          model = predicted.model;
          expect(await real.shown()).toEqual({ status: model.status, reported: model.reported });
        }
        const left = (await service.events(real.id))
          .map((event) => event.action)
          .filter((action) =>
            ['elevation.decided', 'elevation.actuated', 'elevation.claimed', 'elevation.revoked'].includes(
              action,
            ),
          );
        expect(left).toHaveLength(moves.length);
        const commands = (await service.commands(real.id)).map((each) => each.type);
        expect(commands).toEqual([
          ...(model.told ? ['actuate_elevation'] : []),
          ...(model.told && moves.includes('revoked') ? ['revoke_elevation'] : []),
        ]);
      },
    ),
    { numRuns: 40 },
  );
});

test('a hundred concurrent calls on one elevation give a serializable history', async () => {
  for (const approvedByRule of [false, true]) {
    const { id, calls, shown } = await begin('prompt', approvedByRule);
    const kinds: Call[] = Array.from(
      { length: 100 },
      (_, index) => (['approve', 'use', 'revoke', 'deny'] as const)[index % 4]!,
    );
    const codes = await Promise.all(kinds.map(async (kind) => [kind, await codeOf(calls[kind]())] as const));
    const done = codes.filter(([, code]) => code === 'ok').map(([kind]) => kind);
    expect(codes.every(([, code]) => ['ok', 'wrong_status', 'race_lost'].includes(code))).toBe(true);
    // Each move happened at most once, and only after the move that it requires.
    expect(new Set(done).size).toBe(done.length);
    if (approvedByRule) expect(done).not.toContain('approve');
    else expect(done.includes('approve')).not.toBe(done.includes('deny'));
    if (done.includes('deny')) expect(done).toEqual(['deny']);
    const last = done.includes('revoke') ? 'revoked' : done.includes('use') ? 'actuating' : undefined;
    if (last) expect((await shown()).status).toBe(last);
    expect((await service.commands(id)).filter((each) => each.type === 'actuate_elevation')).toHaveLength(
      done.includes('use') ? 1 : 0,
    );
  }
});

test('the database refuses every transition that the machine does not define', async () => {
  const { id } = await begin('prompt', false);
  const { database } = service.deps;
  const change = (set: string) =>
    database.withTenant(tenant.tenantId, (tx) =>
      tx
        .updateTable('elevation_requests')
        .set({ status: set as 'denied' })
        .where('id', '=', id)
        .execute(),
    );
  for (const status of ['actuating', 'revoked', 'auto_approved', 'expired', 'approved'])
    await expect(change(status)).rejects.toThrow();
});
