import { randomUUID } from 'node:crypto';
import * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import * as rules from '@claviger/contracts/workflow/v1/rules';
import type { Actor } from '@claviger/service-kit';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Elevations, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { APPROVER, bind, codeOf, REQUESTER, type Tenant } from '../../test-support.ts';
import { accountStatusService, pamRulesService } from '../registry.ts';
import { type Decided, decide, type RequestState } from '../requests/request-machine.ts';

let service: Elevations;
let tenant: Tenant;
beforeAll(async () => {
  service = await startElevations();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.vault.away = false;
  service.vault.whilePlacing = async () => {};
});

const EMERGENCY = ['breakglass.*'];
const WHY = { reason: 'the cluster does not start', allEntries: true };
const administrator = (): Actor => tenant.user(['*']);

/** Sends the status of an account as auth does. */
function tell(who: Actor, version: number, more: { active?: boolean; ends?: boolean } = {}) {
  const handlers = bind(accountStatus.AccountStatusService, accountStatusService(service.deps));
  const { active = false, ends = true } = more;
  const changedBy = randomUUID();
  return handlers.applyAccountStatus(administrator(), {
    userId: who.userId,
    version,
    active,
    ends,
    cause: 'Disabled.',
    changedBy,
  });
}

async function requestOf(who: Actor): Promise<string> {
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const ask = { resourceId, reason: 'why', durationMinutes: 30 };
  return (await service.handlers.createRequest(who, ask)).request!.id;
}

async function grantOf(who: Actor): Promise<string> {
  const requestId = await requestOf(who);
  await service.handlers.approveRequest(tenant.user(APPROVER), { requestId });
  const { items } = await service.handlers.listGrants(who, {});
  return items.find((grant) => grant.requestId === requestId)!.id;
}

const grantStatus = async (id: string) =>
  (await service.handlers.getGrant(tenant.user(['grants.*']), { grantId: id })).grant!.status;
const requestStatus = async (id: string) =>
  (await service.handlers.getRequest(tenant.user(APPROVER), { requestId: id })).request!.status;
/** The action of the newest event with this subject. */
const lastEvent = async (id: string) => (await service.events(id)).at(-1)?.action;

describe('the end of an account', () => {
  test('ends its requests, grants, elevations and emergency access, and enabling it restores none of them', async () => {
    const who = tenant.user([...REQUESTER, ...TECHNICIAN, ...EMERGENCY]);
    const [waiting, grant] = [await requestOf(who), await grantOf(who)];
    const device = service.devices.add(tenant.tenantId);
    const elevate = async () =>
      (
        await service.elevations.requestElevation(who, {
          deviceId: device.userId,
          reason: 'why',
          durationMinutes: 10,
        })
      ).request!.id;
    const [pending, approved] = [await elevate(), await elevate()];
    const other = tenant.user(TECHNICIAN);
    await service.elevations.respondToElevation(other, { id: approved, decision: 'approve' });
    const emergency = (await service.handlers.activateBreakglass(who, WHY)).session!;
    const bystander = tenant.user(REQUESTER);
    const untouched = await grantOf(bystander);

    expect(await tell(who, 1)).toEqual({ settled: true });
    expect([await requestStatus(waiting), await grantStatus(grant)]).toEqual(['cancelled', 'revoked']);
    expect(service.vault.removals).toContainEqual({ grantId: grant, cause: 'revoked' });
    const elevation = async (id: string) =>
      (await service.elevations.getElevationRequest(other, { id })).request!.status;
    expect([await elevation(pending), await elevation(approved)]).toEqual(['denied', 'revoked']);
    const session = await service.handlers.getBreakglassSession(tenant.user(EMERGENCY), {
      sessionId: emergency.id,
    });
    expect(session.session!.state).toBe('deactivated');
    expect(await Promise.all([waiting, grant, pending, approved, emergency.id].map(lastEvent))).toEqual([
      'request.cancelled',
      'grant.revoked',
      'elevation.decided',
      'elevation.revoked',
      'breakglass.deactivated',
    ]);
    expect(await grantStatus(untouched)).toBe('active');

    expect(await codeOf(requestOf(who))).toBe('account_ended');
    expect(await codeOf(service.handlers.activateBreakglass(who, WHY))).toBe('account_ended');
    expect(await tell(who, 2, { active: true, ends: false })).toEqual({ settled: true });
    expect([await requestStatus(waiting), await grantStatus(grant)]).toEqual(['cancelled', 'revoked']);
    const anew = await requestOf(who);
    // A repeated or late message ends nothing.
    expect(await tell(who, 1)).toEqual({ settled: true });
    expect(await tell(who, 2)).toEqual({ settled: true });
    expect(await requestStatus(anew)).toBe('pending');
  });

  test('ends its unused approvals of lower protections, and leaves none of an approval in progress', async () => {
    const who = tenant.user(REQUESTER);
    const bystander = tenant.user(REQUESTER);
    const approver = tenant.user(APPROVER);
    const { resourceId, entryIds } = service.vault.addResource(tenant.tenantId, 'db');
    const protection = (actor: Actor, change: number) =>
      service.handlers.requestProtectionChange(actor, {
        entryId: entryIds[0]!,
        entryName: 'root',
        resourceId,
        resourceName: 'db',
        change: {
          before: { requiresGrant: true, requiresReason: false },
          after: { requiresGrant: false, requiresReason: false },
        },
        changeDigest: `${change}`.padStart(64, '0'),
      });
    const approve = (requestId: string) => codeOf(service.handlers.approveRequest(approver, { requestId }));
    const approved = async (actor: Actor, change: number) => {
      const { requestId } = await protection(actor, change);
      expect(await approve(requestId)).toBe('ok');
      return requestId;
    };
    const [mine, theirs] = [await approved(who, 0), await approved(bystander, 0)];
    expect(await protection(who, 0)).toMatchObject({ requestId: mine, status: 'approved' });
    const changes = [1, 2, 3, 4];
    const waiting = await Promise.all(
      changes.map(async (change) => (await protection(who, change)).requestId),
    );
    await Promise.all([tell(who, 1), ...waiting.map(approve)]);
    // After the account is enabled, each change must be requested again.
    await tell(who, 2, { active: true, ends: false });
    for (const change of [0, ...changes]) {
      const anew = await protection(who, change);
      expect(anew.status).toBe('pending');
      expect([mine, ...waiting]).not.toContain(anew.requestId);
    }
    expect(await protection(bystander, 0)).toMatchObject({ requestId: theirs, status: 'approved' });
    // A late message about the former end does not end a current approval.
    const again = await approved(who, 0);
    await tell(who, 1);
    expect(await protection(who, 0)).toMatchObject({ requestId: again, status: 'approved' });
  });

  test('is settled only when the vault has confirmed every end', async () => {
    const who = tenant.user(REQUESTER);
    const grant = await grantOf(who);
    service.vault.away = true;
    expect(await tell(who, 1)).toEqual({ settled: false });
    expect(await grantStatus(grant)).toBe('revoked');
    expect(await tell(who, 1)).toEqual({ settled: false });
    service.vault.away = false;
    expect(await tell(who, 1)).toEqual({ settled: true });
  });

  test('leaves no grant of an approval in progress', async () => {
    const who = tenant.user(REQUESTER);
    const approver = tenant.user(APPROVER);
    const requests: string[] = [];
    for (let count = 0; count < 6; count += 1) requests.push(await requestOf(who));
    const approvals = requests.map((requestId) =>
      codeOf(service.handlers.approveRequest(approver, { requestId })),
    );
    const [, ...codes] = await Promise.all([tell(who, 1), ...approvals]);
    for (const code of codes) expect(['ok', 'wrong_status', 'account_ended', 'unavailable']).toContain(code);
    for (const id of requests) {
      if ((await requestStatus(id)) !== 'pending') continue;
      // Refused during the change: the request stays pending and cannot become a grant.
      expect(await codeOf(service.handlers.approveRequest(approver, { requestId: id }))).toBe(
        'account_ended',
      );
    }
    const { items } = await service.handlers.listGrants(who, {});
    expect(items.filter(({ status }) => status === 'active' || status === 'activating')).toEqual([]);
  });

  test('the database refuses new objects of an ended account, even without the handlers', async () => {
    const who = tenant.user(REQUESTER);
    const id = await requestOf(who);
    const row = await service.deps.database.readTenant(tenant.tenantId, (reader) =>
      reader.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    );
    await tell(who, 1);
    const again = {
      ...row,
      id: randomUUID(),
      steps: JSON.stringify(row.steps),
      change: undefined,
      change_digest: undefined,
    };
    await expect(
      service.deps.database.withTenant(tenant.tenantId, (tx) =>
        tx.insertInto('requests').values(again).execute(),
      ),
    ).rejects.toThrow(/has ended/);
  });
});

describe('a person and everything they are responsible for count once', () => {
  const behind = (actor: Actor, ...people: Actor[]): Actor => ({
    ...actor,
    behind: people.map(({ userId }) => userId),
  });

  test('accounts whose password an administrator set do not approve for each other or for the administrator', async () => {
    const all = [...APPROVER, ...TECHNICIAN, ...EMERGENCY];
    const maker = tenant.user(all);
    const [first, second] = [behind(tenant.user(all), maker), behind(tenant.user(all), maker)];
    const device = service.devices.add(tenant.tenantId);
    for (const [asks, decides] of [
      [first, maker],
      [maker, first],
      [first, second],
    ] as const) {
      const requestId = await requestOf(asks);
      expect(await codeOf(service.handlers.approveRequest(decides, { requestId }))).toBe('self_approval');
      const { request } = await service.elevations.requestElevation(asks, {
        deviceId: device.userId,
        reason: 'why',
        durationMinutes: 10,
      });
      const answer = { id: request!.id, decision: 'approve' };
      expect(await codeOf(service.elevations.respondToElevation(decides, answer))).toBe('own_request');
      const { session } = await service.handlers.activateBreakglass(asks, WHY);
      const sessionId = session!.id;
      expect(await codeOf(service.handlers.confirmBreakglass(decides, { sessionId }))).toBe('self_approval');
      await service.handlers.confirmBreakglass(tenant.user(EMERGENCY), { sessionId });
      await service.handlers.deactivateBreakglass(asks, { sessionId, reason: 'it is over now' });
      const review = { sessionId, review: 'all of it was needed' };
      expect(await codeOf(service.handlers.reviewBreakglassSession(decides, review))).toBe('self_approval');
    }
  });

  test('nobody co-signs their own rule with an account that counts as theirs', async () => {
    const call = bind(rules.PamRulesService, pamRulesService(service.deps));
    const maker = tenant.user(['*']);
    const puppet = behind(tenant.user(['*']), maker);
    const { rule } = await call.createRule(maker, {
      name: 'mine',
      verdict: 'auto_approve',
      matchSigner: 'V',
    });
    const { id, rowVersion } = rule!;
    expect(await codeOf(call.coSignRule(puppet, { id, rowVersion }))).toBe('own_rule');
    const other = behind(tenant.user(['*']), tenant.user([]));
    expect(await codeOf(call.coSignRule(other, { id, rowVersion }))).toBe('ok');
  });

  test('no sequence of decisions lets accounts of one person approve a request together', () => {
    const id = fc.integer({ min: 0, max: 5 }).map(String);
    const account = fc.record({ userId: id, behind: fc.array(id, { maxLength: 3 }) });
    fc.assert(
      fc.property(
        account,
        fc.array(account, { maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        (asks, all, quorum) => {
          let state: RequestState = {
            status: 'pending',
            requesterId: asks.userId,
            requesterBehind: asks.behind,
            digest: 'd',
            durationMinutes: 30,
            approvedDurationMinutes: undefined,
            expiresAtMs: 1_000,
            steps: [{ name: 's', quorum, approverUserIds: [], approverRoles: [] }],
            openStep: 0,
            decisions: [],
          };
          for (const by of all) {
            const input = {
              decision: 'approve' as const,
              by: { ...by, roles: [] },
              digest: '',
              durationMinutes: undefined,
            };
            const outcome = decide(state, input, 0);
            if (outcome.kind === 'done') state = outcome.state;
          }
          const sets = [asks, ...state.decisions].map((each: Pick<Decided, 'userId' | 'behind'>) => [
            ...new Set([each.userId, ...(each.behind ?? [])]),
          ]);
          expect(new Set(sets.flat()).size).toBe(sets.flat().length);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
