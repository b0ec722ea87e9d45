import { randomUUID } from 'node:crypto';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import * as explanations from '@claviger/contracts/workflow/v1/explanations';
import type { Rule, SoftwareEntry } from '@claviger/evaluator';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Elevations, promptOf, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { ADMIN, APPROVER, bind, codeOf, REQUESTER, type Tenant } from '../../test-support.ts';
import { agentElevationsService, elevationRequestsService, explanationsService } from '../registry.ts';
import { changeRuleSet, type RuleSetChange } from '../rules/change-rule-set.ts';
import { createRuleSetCache } from '../rules/rule-set-cache.ts';
import { readerOfRules } from './read-decision.ts';

let service: Elevations;
let handlers: ReturnType<typeof bound>;
beforeAll(async () => {
  service = await startElevations();
  handlers = bound();
});
afterAll(() => service?.[Symbol.asyncDispose]());

/** With the real decision service. */
function bound() {
  const { database } = service.deps;
  const deps = { ...service.deps, notifier: service.notifier };
  const decidedBy = readerOfRules(database, createRuleSetCache());
  return {
    ...bind(elevation.ElevationRequestsService, elevationRequestsService(deps)),
    ...bind(elevation.AgentElevationsService, agentElevationsService(deps)),
    ...bind(explanations.ExplanationsService, explanationsService({ database, decidedBy })),
  };
}

const rule = (fields: Partial<Rule> = {}): RuleSetChange => {
  const body: Rule = {
    id: randomUUID(),
    name: 'browsers of the helpdesk',
    verdict: 'auto_approve',
    matchSigner: 'Mozilla Corporation',
    authorIds: [],
    ...fields,
  };
  return { kind: 'rule', objectId: body.id, body };
};
const listed = (list: 'allow' | 'deny'): RuleSetChange => {
  const body: SoftwareEntry = {
    id: randomUUID(),
    name: 'listed software',
    list,
    matchHash: 'a'.repeat(64),
    authorIds: [],
  };
  return { kind: 'software', objectId: body.id, body };
};

/** A prompt of a known user in a tenant with these rules. */
async function prompted(changes: RuleSetChange[] = [], siteId: string | null = null) {
  const tenant = service.tenant();
  if (changes.length > 0) {
    await service.deps.database.withTenant(tenant.tenantId, (tx) =>
      changeRuleSet(tx, tenant.tenantId, changes),
    );
  }
  const agent = service.devices.add(tenant.tenantId, ...(siteId === null ? [] : [{ siteId }]));
  const subject = tenant.user([]);
  const username = `acme\\${subject.userId}`;
  service.devices.link(username, { userId: subject.userId, possibleUserIds: [subject.userId] });
  const { id } = await handlers.ingestElevationRequest(agent, {
    ...promptOf(agent.userId),
    subjectUsername: username,
  });
  return { tenant, agent, subject, id: id! };
}
const explain = async (actor: Actor, id: string) =>
  (await handlers.explainElevation(actor, { id })).explanation!;
const technician = (tenant: Tenant) => tenant.user(TECHNICIAN);

describe('an elevation', () => {
  test('is explained to readers of rules by its trace, the former state of its rule, and the nearest fact', async () => {
    const { tenant, id } = await prompted([
      rule({ name: 'first', priority: 10, verdict: 'auto_deny', matchSigner: 'Contoso' }),
      rule({ name: 'second', priority: 20 }),
    ]);
    const changed = rule({ name: 'renamed since', verdict: 'auto_deny' });
    await service.deps.database.withTenant(tenant.tenantId, (tx) =>
      changeRuleSet(tx, tenant.tenantId, [changed]),
    );
    expect(await explain(technician(tenant), id)).toMatchObject({
      kind: 'elevation',
      status: 'auto_approved',
      verdict: 'auto_approved',
      summary: 'Approved at once.',
      ruleSetVersion: '1',
      rulesShown: true,
      nearest: { fact: 'signer', was: 'Mozilla Corporation', words: expect.stringContaining('signer') },
      lines: expect.arrayContaining(['Decided by “second” of version 1.']),
      decisions: [{ by: 'pam_rule', name: 'second', decision: 'auto_approved' }],
    });
  });

  test('names the reason why a matching rule did not approve: author benefits, author uses the device, name unowned', async () => {
    const author = randomUUID();
    const { tenant, agent, id: owned } = await prompted([rule({ name: 'mine', authorIds: [author] })]);
    const reader = technician(tenant);
    expect((await explain(reader, owned)).verdict).toBe('auto_approved');
    const linesOf = async (subjectUsername: string): Promise<string> => {
      const { id } = await handlers.ingestElevationRequest(agent, {
        ...promptOf(agent.userId),
        subjectUsername,
      });
      const { summary, lines } = await explain(reader, id!);
      expect(summary).toBe('Waits for a person.');
      return lines.join(' ');
    };
    expect(await linesOf('WS-04\\local')).toMatch(/The user name belongs to no user.*co-signs “mine”/);
    service.devices.link('acme\\author', { userId: author });
    expect(await linesOf('acme\\author')).toMatch(/one of its authors.*co-signs “mine”/);
    const other = randomUUID();
    service.devices.link(`acme\\${other}`, { userId: other });
    expect(await linesOf(`acme\\${other}`)).toMatch(/An author of the rule uses the device.*co-signs “mine”/);
  });

  test('lists later decisions of people: who, when and why', async () => {
    const { tenant, id, subject } = await prompted();
    const [ann, bob] = [technician(tenant), technician(tenant)];
    expect(await explain(subject, id)).toMatchObject({
      status: 'pending',
      summary: 'Waits for a person.',
      decisions: [],
    });
    await handlers.respondToElevation(ann, { id, decision: 'approve', reason: 'CHG-1' });
    expect((await explain(ann, id)).decisions).toMatchObject([
      { by: 'human', name: ann.userName, decision: 'approved', reason: 'CHG-1' },
    ]);
    await handlers.revokeElevation(bob, { id, reason: 'too long' });
    const told = await explain(subject, id);
    expect(told).toMatchObject({ status: 'revoked', verdict: 'pending', summary: 'People decided it.' });
    expect(told.decisions).toMatchObject([
      { name: ann.userName, decision: 'approved' },
      { name: bob.userName, decision: 'revoked', reason: 'too long' },
    ]);
  });

  test('is visible to its subject and to readers of devices in its site; others get not found', async () => {
    const [site, other] = [randomUUID(), randomUUID()];
    const { tenant, id, subject } = await prompted([rule()], site);
    expect((await explain(subject, id)).rulesShown).toBe(false);
    expect((await explain({ ...technician(tenant), siteIds: [site] }, id)).rulesShown).toBe(true);
    const strangers = [
      tenant.user([]),
      tenant.user(REQUESTER),
      { ...technician(tenant), siteIds: [other] },
      service.tenant().user(ADMIN),
    ];
    for (const stranger of strangers) expect(await codeOf(explain(stranger, id))).toBe('not_found');
    expect(await codeOf(explain(technician(tenant), randomUUID()))).toBe('not_found');
    expect(await codeOf(explain(technician(tenant), 'x'))).toBe('not_found');
  });

  test('a technician of one site sees nothing of the rules of another site', async () => {
    const [site, other] = [randomUUID(), randomUUID()];
    const elsewhere = rule({ name: 'of the bank', siteId: other, matchSigner: 'Mozilla Corporation' });
    const { tenant, id } = await prompted([elsewhere], site);
    const restricted = { ...technician(tenant), siteIds: [site] };
    expect(JSON.stringify(await explain(technician(tenant), id))).toContain('of the bank');
    const told = JSON.stringify(await explain(restricted, id));
    expect(told).not.toContain('of the bank');
    expect(told).not.toContain(other);
  });

  test('a subject who reads rules of another site only sees no name of a rule', async () => {
    const [site, other] = [randomUUID(), randomUUID()];
    const { id, subject } = await prompted([rule({ siteId: site })], site);
    const reader = { ...subject, permissions: new Set(TECHNICIAN), siteIds: [other] };
    const told = await explain(reader, id);
    expect(told).toMatchObject({
      rulesShown: false,
      ruleSetVersion: '',
      decisions: [{ by: 'policy', name: '' }],
    });
    expect(JSON.stringify(told)).not.toContain('browsers of the helpdesk');
    expect(told).toEqual(await explain(subject, id));
  });

  const sameVerdict: [string, RuleSetChange[][]][] = [
    [
      'approved',
      [
        [rule()],
        [rule({ name: 'another', priority: 7, matchSigner: null, matchPathGlob: 'C:\\*' })],
        [listed('allow'), rule()],
        [rule(), rule({ name: 'of tools', matchSigner: null, matchToolName: 'shell' })],
      ],
    ],
    [
      'denied',
      [
        [rule({ verdict: 'auto_deny' })],
        [listed('deny')],
        [listed('deny'), rule({ verdict: 'auto_deny' }), rule({ enabled: false })],
      ],
    ],
    [
      'pending',
      [
        [],
        [rule({ verdict: 'require_approval' })],
        [rule({ matchSigner: 'Contoso' })],
        [rule({ name: '', priority: -1 })],
        [rule({ matchAdGroup: 'Admins' })],
      ],
    ],
  ];

  test.each(sameVerdict)(
    'that is %s has byte for byte the same explanation for any rules, for users who may not read rules',
    async (_, sets) => {
      const words = await Promise.all(
        sets.map(async (changes) => {
          const { id, subject } = await prompted(changes);
          const { explanation } = await handlers.explainElevation(subject, { id });
          expect(explanation).toMatchObject({
            requestId: id,
            rulesShown: false,
            lines: [],
            ruleSetVersion: '',
          });
          const times = explanation!.decisions.map(({ decidedAt: _at, ...rest }) => rest);
          return JSON.stringify({ ...explanation, requestId: '', decidedAt: '', decisions: times });
        }),
      );
      expect(new Set(words).size).toBe(1);
      expect(words[0]).not.toMatch(/helpdesk|Mozilla|Contoso|pam_rule|software/);
    },
  );
});

test('a technician whose request matches an ignoring rule sees that a person decides, not the rule', async () => {
  const tenant = service.tenant();
  const { userId, userName } = tenant.user([]);
  await service.deps.database.withTenant(tenant.tenantId, (tx) =>
    changeRuleSet(tx, tenant.tenantId, [
      rule({ name: 'noise', verdict: 'ignore', matchSigner: null, matchUser: userName }),
    ]),
  );
  const asking: Actor = { ...tenant.user(['elevations.request']), userId, userName };
  const device = service.devices.add(tenant.tenantId);
  const { request } = await handlers.requestElevation(asking, { deviceId: device.userId, reason: 'why' });
  const told = await explain(asking, request!.id);
  expect(told).toMatchObject({ status: 'pending', verdict: 'pending', summary: 'Waits for a person.' });
  expect(JSON.stringify(told)).not.toMatch(/ignore|left alone|noise/i);
  expect(await explain(technician(tenant), request!.id)).toMatchObject({
    verdict: 'ignored',
    summary: 'Waits for a person.',
  });
});

describe('a request for access', () => {
  const terms = {
    steps: [{ name: 'the owner', quorum: 1, approverUserIds: [], approverRoles: [] }],
    maxDurationMinutes: 60,
    requestTtlMinutes: 90,
    oneTime: true,
    rotateOnEnd: true,
  };

  test('is explained by its policy and its approvals', async () => {
    const tenant = service.tenant();
    const [admin, requester, approver] = [
      tenant.user(ADMIN),
      tenant.user(REQUESTER),
      tenant.user([...APPROVER, 'access-policies.read']),
    ];
    const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
    await service.handlers.putAccessPolicy(admin, { resourceId, ...terms });
    const { request } = await service.handlers.createRequest(requester, {
      resourceId,
      reason: 'why',
      durationMinutes: 30,
    });
    const requestId = request!.id;
    const told = async (actor: Actor) => (await handlers.explainRequest(actor, { requestId })).explanation!;
    expect(await told(requester)).toMatchObject({
      kind: 'access',
      status: 'pending',
      verdict: 'needs_approval',
      summary: 'Needs approval.',
      rulesShown: false,
      lines: [],
      nearest: undefined,
    });
    await service.handlers.approveRequest(approver, { requestId, comment: 'go on' });
    const { lines, nearest, ...rest } = await told(approver);
    expect(rest).toMatchObject({
      status: 'approved',
      summary: 'People decided it.',
      ruleSetVersion: '1',
      rulesShown: true,
      decisions: [
        { by: 'human', name: approver.userName, decision: 'approved', reason: 'go on', step: 'the owner' },
      ],
    });
    expect(lines.join(' ')).toContain(`access policy of ${resourceId}`);
    expect(nearest).toBeDefined();
    for (const stranger of [tenant.user(REQUESTER), service.tenant().user(ADMIN)])
      expect(await codeOf(told(stranger))).toBe('not_found');
  });

  test('has the same explanation for any policy, for users who may not read policies', async () => {
    const words = await Promise.all(
      [terms, { ...terms, maxDurationMinutes: 45, oneTime: false }, undefined].map(async (policy) => {
        const tenant = service.tenant();
        const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
        if (policy) await service.handlers.putAccessPolicy(tenant.user(ADMIN), { resourceId, ...policy });
        const requester = tenant.user(REQUESTER);
        const { request } = await service.handlers.createRequest(requester, {
          resourceId,
          reason: 'why',
          durationMinutes: 30,
        });
        const { explanation } = await handlers.explainRequest(requester, { requestId: request!.id });
        return JSON.stringify({ ...explanation, requestId: '', decidedAt: '' });
      }),
    );
    expect(new Set(words).size).toBe(1);
  });
});
