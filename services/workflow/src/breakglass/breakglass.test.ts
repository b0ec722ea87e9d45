import { randomUUID } from 'node:crypto';
import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { ClavigerError } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { codeOf, startWorkflow, type Tenant, type Workflow } from '../../test-support.ts';
import { endSessionsOfTenant } from './end-sessions-of-tenant.ts';

let service: Workflow;
let tenant: Tenant;
beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.emergency.away = false;
  service.emergency.settled = true;
  Object.assign(service.settings.breakglass, { mode: 'either', maximumMinutes: 60 });
});

const OPERATOR = ['breakglass.activate', 'breakglass.read'];
const WHY = { reason: 'the cluster does not start', allEntries: true };
const operator = () => tenant.user(OPERATOR);
const approver = () => tenant.user(['breakglass.confirm', 'breakglass.read']);
const manager = () => tenant.user(['breakglass.*']);

async function codes(count = 5): Promise<string[]> {
  return (await service.handlers.createBreakglassCodes(manager(), { count, reason: 'envelopes' })).codes;
}

/** A well-formed code that does not exist. */
const wrongCode = (guess: number) => `${'AAAAA-'.repeat(5)}${'AEIMQ'[guess]}`;

async function openWithCode(who: Actor): Promise<breakglass.BreakglassSession> {
  const [sealedCode] = await codes(1);
  return (await service.handlers.activateBreakglass(who, { ...WHY, sealedCode })).session!;
}

const stateOf = async (id: string): Promise<string> =>
  (await service.handlers.getBreakglassSession(approver(), { sessionId: id })).session!.state;

/** As superuser: moves the times of a session into the past. */
async function age(id: string, minutes: number): Promise<void> {
  const shift = (column: string) => `${column} = ${column} - interval '${minutes} minutes'`;
  await service.scratch.query(
    `SET session_replication_role = replica;
     UPDATE ${service.schema}.breakglass_sessions
       SET ${['requested_at', 'confirm_until', 'activated_at', 'expires_at', 'next_sync_at'].map(shift).join(', ')}
       WHERE id = '${id}'`,
  );
}

test('without a code emergency access awaits another person, and its time starts at the confirmation', async () => {
  const [who, second] = [operator(), approver()];
  const asked = (await service.handlers.activateBreakglass(who, { ...WHY, durationMinutes: 20 })).session!;
  expect(asked).toMatchObject({ state: 'awaiting-confirmation', openedBy: 'second-person' });
  expect(service.emergency.placed.has(asked.id)).toBe(false);
  const self = { ...who, permissions: new Set(['*']) };
  expect(await codeOf(service.handlers.confirmBreakglass(self, { sessionId: asked.id }))).toBe(
    'self_approval',
  );
  await age(asked.id, 10);
  const { session } = await service.handlers.confirmBreakglass(second, { sessionId: asked.id });
  expect(session).toMatchObject({ state: 'active', confirmedById: second.userId });
  const ms = Date.parse(session!.expiresAt!) - Date.parse(session!.activatedAt!);
  expect(ms).toBe(20 * 60_000);
  expect(service.emergency.placed.get(asked.id)).toEqual({
    userId: who.userId,
    expiresAt: session!.expiresAt,
  });
  expect(await codeOf(service.handlers.confirmBreakglass(approver(), { sessionId: asked.id }))).toBe(
    'wrong_status',
  );
  // Events of one transaction have no order.
  expect((await service.events(asked.id)).map(({ action }) => action).toSorted()).toEqual([
    'breakglass.activated',
    'breakglass.confirmed',
    'breakglass.requested',
  ]);
});

test('nobody can confirm emergency access after fifteen minutes, before or after the sweep', async () => {
  const { id } = (await service.handlers.activateBreakglass(operator(), WHY)).session!;
  await age(id, 16);
  expect(await codeOf(service.handlers.confirmBreakglass(approver(), { sessionId: id }))).toBe(
    'wrong_status',
  );
  expect(await stateOf(id)).toBe('lapsed');
  await service.sweepBreakglass();
  expect((await service.events(id)).at(-1)).toMatchObject({ action: 'breakglass.lapsed' });
});

test('an offline code opens emergency access at once, works once, and is stored as a hash', async () => {
  const [first, second] = await codes(2);
  const who = operator();
  const spelled = `${first!.toLowerCase().replaceAll('-', '\u2011').replace('\u2011', '\u00a0')}\r\n`;
  const { session } = await service.handlers.activateBreakglass(who, { ...WHY, sealedCode: spelled });
  expect(session).toMatchObject({ state: 'active', openedBy: 'sealed-code', durationMinutes: 60 });
  expect(service.emergency.restrictions.get(who.userId)).toBe(session!.id);
  expect(await codeOf(service.handlers.activateBreakglass(operator(), { ...WHY, sealedCode: first! }))).toBe(
    'sealed_code_wrong',
  );
  const dump = JSON.stringify(
    await service.scratch.query(`SELECT c::text FROM ${service.schema}.breakglass_codes c`),
  );
  expect(dump).not.toContain(second);
  expect(dump).not.toContain(second!.replaceAll('-', ''));
  await codes(1);
  expect(await codeOf(service.handlers.activateBreakglass(operator(), { ...WHY, sealedCode: second! }))).toBe(
    'sealed_code_wrong',
  );
});

test('after five wrong codes a person can use no code for a time; other people can', async () => {
  const [right] = await codes(1);
  const who = operator();
  for (let guess = 0; guess < 5; guess += 1) {
    const wrong = { ...WHY, sealedCode: wrongCode(guess) };
    expect(await codeOf(service.handlers.activateBreakglass(who, wrong))).toBe('sealed_code_wrong');
  }
  const tried = { ...WHY, sealedCode: right! };
  const refused = await service.handlers.activateBreakglass(who, tried).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'sealed_code_locked' });
  expect(await codeOf(service.handlers.activateBreakglass(operator(), tried))).toBe('ok');
  // The remaining time is given in seconds, and codes work again after it.
  const { retryAfterSeconds } = refused as ClavigerError;
  expect(retryAfterSeconds).toBeLessThanOrEqual(900);
  expect(retryAfterSeconds).toBeGreaterThan(840);
  await service.scratch.query(
    `UPDATE ${service.schema}.breakglass_wrong_codes SET given_at = given_at - make_interval(secs => $2) WHERE user_id = $1`,
    [who.userId, retryAfterSeconds],
  );
  const [next] = await codes(1);
  expect(await codeOf(service.handlers.activateBreakglass(who, { ...WHY, sealedCode: next! }))).toBe('ok');
});

test('a malformed offline code is not counted as a guess', async () => {
  const [code] = await codes(1);
  const who = operator();
  for (const slip of [
    'AAAAA-BBBBB',
    `${code}A`,
    code!.slice(0, -1),
    `${code!.slice(0, -1)}9`,
    'the red envelope',
    ' ',
  ]) {
    const refused = service.handlers.activateBreakglass(who, { ...WHY, sealedCode: slip });
    await expect(refused, slip).rejects.toMatchObject({ reason: 'invalid', code: 'sealed_code_malformed' });
  }
  expect(await codeOf(service.handlers.activateBreakglass(who, { ...WHY, sealedCode: code! }))).toBe('ok');
});

test('the policy sets the mode and the maximum duration (H-180)', async () => {
  const [sealedCode] = await codes(1);
  service.settings.breakglass.mode = 'second-person';
  expect(await codeOf(service.handlers.activateBreakglass(operator(), { ...WHY, sealedCode }))).toBe(
    'sealed_code_not_taken',
  );
  service.settings.breakglass.mode = 'sealed-code';
  expect(await codeOf(service.handlers.activateBreakglass(operator(), WHY))).toBe('sealed_code_required');
  const long = { ...WHY, sealedCode, durationMinutes: 61 };
  expect(await codeOf(service.handlers.activateBreakglass(operator(), long))).toBe('invalid');
  const short = { ...WHY, sealedCode, reason: 'because' };
  expect(await codeOf(service.handlers.activateBreakglass(operator(), short))).toBe('invalid');
  for (const scope of [
    { allEntries: false },
    { allEntries: true, entryIds: [randomUUID()] },
    { allEntries: false, entryIds: ['x'] },
  ]) {
    const asked = { ...WHY, sealedCode, ...scope };
    expect(await codeOf(service.handlers.activateBreakglass(operator(), asked))).toBe('invalid');
  }
  expect(await codeOf(service.handlers.activateBreakglass(operator(), { ...WHY, sealedCode }))).toBe('ok');
});

test('one of 20 concurrent activations opens emergency access, and uses one code (H-182)', async () => {
  const all = await codes(20);
  const who = operator();
  const outcomes = await Promise.all(
    all.map((sealedCode) => codeOf(service.handlers.activateBreakglass(who, { ...WHY, sealedCode }))),
  );
  expect(outcomes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'breakglass_open')).toHaveLength(19);
  const status = await service.handlers.getBreakglassStatus(who);
  expect(status).toMatchObject({ active: true, unusedCodes: 19, openSessions: [{ userId: who.userId }] });
});

test('of twenty people with the same code, one opens emergency access', async () => {
  const [sealedCode] = await codes(1);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () =>
      codeOf(service.handlers.activateBreakglass(operator(), { ...WHY, sealedCode })),
    ),
  );
  expect(outcomes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'sealed_code_wrong')).toHaveLength(19);
});

test('only its user or a holder of breakglass.manage ends emergency access', async () => {
  const who = operator();
  const session = await openWithCode(who);
  const named = { sessionId: session.id, reason: 'done' };
  expect(await codeOf(service.handlers.deactivateBreakglass(operator(), named))).toBe('denied');
  const stranger = tenant.user(['breakglass.activate']);
  expect(await codeOf(service.handlers.deactivateBreakglass(stranger, named))).toBe('not_found');
  const { session: ended } = await service.handlers.deactivateBreakglass(who, { reason: 'done' });
  expect(ended).toMatchObject({
    state: 'deactivated',
    endReason: 'done',
    endedByName: who.userName,
    disclosed: 3,
    rotationsQueued: 2,
    rotationsImpossible: 1,
  });
  expect(service.emergency.restrictions.has(who.userId)).toBe(false);
  expect(await codeOf(service.handlers.deactivateBreakglass(who, {}))).toBe('breakglass_not_open');
  const other = await openWithCode(who);
  expect(await codeOf(service.handlers.deactivateBreakglass(manager(), { sessionId: other.id }))).toBe('ok');
});

test('activation and end are stored while the vault is unavailable, and sent to it later', async () => {
  const who = operator();
  const [sealedCode] = await codes(1);
  service.emergency.away = true;
  expect(await codeOf(service.handlers.activateBreakglass(who, { ...WHY, sealedCode }))).toBe(
    'activation_pending',
  );
  const [open] = (await service.handlers.getBreakglassStatus(who)).openSessions;
  service.emergency.away = false;
  // Without a leader, a repeated call sends the due changes.
  await age(open!.id, 1);
  expect(await codeOf(service.handlers.activateBreakglass(who, WHY))).toBe('breakglass_open');
  expect(service.emergency.placed.has(open!.id)).toBe(true);
  service.emergency.away = true;
  expect(await codeOf(service.handlers.deactivateBreakglass(who, {}))).toBe('deactivation_pending');
  service.emergency.away = false;
  await age(open!.id, 1);
  await service.sweepBreakglass();
  expect(service.emergency.ended).toContainEqual({ sessionId: open!.id, cause: 'deactivated' });
  expect(await codeOf(service.handlers.deactivateBreakglass(who, { sessionId: open!.id }))).toBe(
    'breakglass_not_open',
  );
});

test('gateways that cannot be notified do not delay the answer, and are notified again', async () => {
  service.emergency.settled = false;
  const session = await openWithCode(operator());
  expect(session.state).toBe('active');
  service.emergency.settled = true;
  await age(session.id, 1);
  await service.sweepBreakglass();
  const [row] = await service.scratch.query<{ sync_wanted: string | null }>(
    `SELECT sync_wanted FROM ${service.schema}.breakglass_sessions WHERE id = '${session.id}'`,
  );
  expect(row).toEqual({ sync_wanted: null });
});

test('emergency access expires by the clock without a call, and the sweep sends the end to the vault (H-183)', async () => {
  const who = operator();
  const session = await openWithCode(who);
  await age(session.id, 61);
  expect(await stateOf(session.id)).toBe('expired');
  expect((await service.handlers.getBreakglassStatus(who)).active).toBe(false);
  await service.sweepBreakglass();
  expect(service.emergency.ended).toContainEqual({ sessionId: session.id, cause: 'expired' });
  const { session: ended } = await service.handlers.getBreakglassSession(who, { sessionId: session.id });
  expect(ended).toMatchObject({ state: 'expired', rotationsQueued: 2 });
  expect(await openWithCode(who)).toMatchObject({ state: 'active' });
});

test('a session is reviewed once, not by its user or its confirmer', async () => {
  const [who, second] = [operator(), manager()];
  const { id } = (await service.handlers.activateBreakglass(who, WHY)).session!;
  const review = { sessionId: id, review: 'It was justified.' };
  await service.handlers.confirmBreakglass(second, { sessionId: id });
  expect(await codeOf(service.handlers.reviewBreakglassSession(manager(), review))).toBe('wrong_status');
  await service.handlers.deactivateBreakglass(who, {});
  const self = { ...who, permissions: new Set(['*']) };
  for (const actor of [self, second])
    expect(await codeOf(service.handlers.reviewBreakglassSession(actor, review))).toBe('self_approval');
  expect((await service.handlers.getBreakglassStatus(who)).unreviewed).toBe(1);
  const { session } = await service.handlers.reviewBreakglassSession(manager(), review);
  expect(session).toMatchObject({ review: review.review });
  expect(await codeOf(service.handlers.reviewBreakglassSession(manager(), review))).toBe('wrong_status');
  expect((await service.handlers.getBreakglassStatus(who)).unreviewed).toBe(0);
});

test('a drill stores the result of each step', async () => {
  const boss = manager();
  const { drill } = await service.handlers.runBreakglassDrill(boss, { comment: 'quarterly' });
  expect(drill!.passed).toBe(true);
  service.emergency.away = true;
  service.settings.breakglass.mode = 'sealed-code';
  const { drill: failed } = await service.handlers.runBreakglassDrill(boss, {});
  expect(failed!.steps.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['policy', 'vault']);
  const { items, totalItems } = await service.handlers.listBreakglassDrills(boss, {});
  expect([totalItems, items.map(({ passed }) => passed)]).toEqual([2, [false, true]]);
  expect(await service.handlers.getBreakglassStatus(boss)).toMatchObject({ lastDrillPassed: false });
});

test('another tenant does not see emergency access, and codes of another tenant do not work', async () => {
  const [code] = await codes(1);
  const session = await openWithCode(operator());
  const here = tenant;
  tenant = service.tenant();
  const stranger = tenant.user(['*']);
  const named = { sessionId: session.id };
  for (const call of [
    () => service.handlers.getBreakglassSession(stranger, named),
    () => service.handlers.confirmBreakglass(stranger, named),
    () => service.handlers.deactivateBreakglass(stranger, named),
    () => service.handlers.reviewBreakglassSession(stranger, { ...named, review: 'x' }),
  ])
    expect(await codeOf(call())).toBe('not_found');
  expect((await service.handlers.listBreakglassSessions(stranger, {})).items).toEqual([]);
  expect(await service.handlers.getBreakglassStatus(stranger)).toMatchObject({
    active: false,
    openSessions: [],
    unusedCodes: 0,
  });
  expect(await codeOf(service.handlers.activateBreakglass(stranger, { ...WHY, sealedCode: code! }))).toBe(
    'sealed_code_wrong',
  );
  expect((await service.handlers.listBreakglassSessions(here.user(OPERATOR), {})).items).toHaveLength(1);
});

test('suspending the tenant ends open sessions and withdraws the codes', async () => {
  const who = operator();
  const session = await openWithCode(who);
  const [left] = await codes(1);
  const { id: asked } = (await service.handlers.activateBreakglass(operator(), WHY)).session!;
  const end = { tenantId: tenant.tenantId, reason: 'The tenant was suspended.' };
  await service.deps.database.withTenant(tenant.tenantId, (tx) => endSessionsOfTenant(service.deps, tx, end));
  await service.sweepBreakglass();
  expect(service.emergency.ended).toContainEqual({ sessionId: session.id, cause: 'deactivated' });
  expect(service.emergency.ended.some(({ sessionId }) => sessionId === asked)).toBe(false);
  expect(await stateOf(asked)).toBe('deactivated');
  expect(await codeOf(service.handlers.activateBreakglass(who, { ...WHY, sealedCode: left! }))).toBe(
    'sealed_code_wrong',
  );
});

test('the filter by state agrees with the state shown', async () => {
  const who = operator();
  const session = await openWithCode(who);
  await age(session.id, 61);
  for (const [state, count] of [
    ['active', 0],
    ['expired', 1],
  ] as const) {
    const { items } = await service.handlers.listBreakglassSessions(who, { state, userId: who.userId });
    expect(items).toHaveLength(count);
  }
});
