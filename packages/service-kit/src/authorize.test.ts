import { type MethodInfo, methodOf, methods, type Policy } from '@claviger/contracts';
import { expect, test } from 'vitest';
import { type Actor, permits } from './actor.ts';
import { authorize, mayCall, policyProblem } from './authorize.ts';

const now = () => Math.floor(Date.now() / 1000);
const actor = (changes: Partial<Actor> = {}): Actor => ({
  userId: 'u',
  userName: 'alice',
  tenantId: 't',
  sessionId: 's',
  kind: 'user',
  permissions: new Set(['*']),
  roles: [],
  mfaPending: false,
  platform: false,
  mfaAt: now(),
  ...changes,
});
const stepUp = [...methods.values()].find((method) => method.policy!.stepUp)!;
const pending = [...methods.values()].find((method) => method.policy!.mfaPending)!;

test('H-029 an operation with step-up requires a second factor within the last ten minutes', () => {
  expect(() => authorize(stepUp, actor())).not.toThrow();
  for (const mfaAt of [0, now() - 601]) {
    expect(() => authorize(stepUp, actor({ mfaAt }))).toThrow(
      expect.objectContaining({ reason: 'step_up_required', code: 'mfa_not_satisfied' }),
    );
  }
  for (const path of [
    'workflow.v1.ElevationRequestsService/RespondToElevation',
    'workflow.v1.PamRulesService/CreateRule',
    'vault.v1.EncryptionService/RotateKek',
  ])
    for (const robot of [actor({ kind: 'api-token', mfaAt: 0 }), actor({ kind: 'agent', mfaAt: 0 })])
      expect(() => authorize(methodOf(`/claviger.${path}`), robot), path).toThrow(
        expect.objectContaining({ code: robot.kind === 'agent' ? 'not_for_agents' : 'mfa_not_satisfied' }),
      );
});

test('a session without its second factor may only call methods that allow it', () => {
  const owing = actor({ mfaPending: true });
  expect(() => authorize(pending, owing)).not.toThrow();
  for (const method of methods.values()) {
    const { public: open, internal, agent, mfaPending } = method.policy!;
    if (!open && !internal && !agent && !mfaPending)
      expect(() => authorize(method, owing)).toThrow(/second factor/);
  }
});

test('agents may call agent methods only, whatever their permissions; other actors may not call them', () => {
  const agent = actor({ kind: 'agent', permissions: new Set(['*']) });
  const person = actor({ permissions: new Set(['*']), mfaAt: Date.now() / 1000 });
  const counted = { agents: 0, people: 0 };
  for (const method of methods.values()) {
    const { public: open, internal, agent: forAgents } = method.policy!;
    if (open || internal) continue;
    counted[forAgents ? 'agents' : 'people'] += 1;
    const [refused, letIn] = forAgents ? [person, agent] : [agent, undefined];
    expect(() => authorize(method, refused)).toThrow(
      expect.objectContaining({ reason: 'denied', code: forAgents ? 'agents_only' : 'not_for_agents' }),
    );
    if (letIn) expect(() => authorize(method, letIn)).not.toThrow();
  }
  expect(counted.agents).toBeGreaterThan(0);
  expect(counted.people).toBeGreaterThan(0);
});

test('platform methods are for the tenant that runs the installation, even with all permissions', () => {
  const method = methodOf('/claviger.vault.v1.EntriesService/GetEntry');
  const platform: MethodInfo = { ...method, policy: { ...method.policy!, platform: true } };
  expect(() => authorize(platform, actor())).toThrow(
    expect.objectContaining({ reason: 'denied', code: 'platform_only' }),
  );
  expect(() => authorize(platform, actor({ platform: true }))).not.toThrow();
});

test('an actor with open emergency access may read but not change administration (H-184)', () => {
  const refused = (path: string): string => {
    try {
      authorize(methodOf(path), actor({ emergency: true }));
      return 'ok';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (const path of [
    'auth.v1.UsersService/UpdateUserRoles',
    'auth.v1.UsersService/DisableUserMfa',
    'auth.v1.AuthService/DisableMfa',
    'auth.v1.RolesService/CreateRole',
    'auth.v1.ApiTokensService/CreateApiToken',
    'auth.v1.TenantsService/SuspendTenant',
    'auth.v1.ConfigService/UpdateConfig',
    'audit.v1.AuditService/ExportEvents',
    'audit.v1.ComplianceService/DownloadReport',
    'audit.v1.ComplianceService/CreateReport',
    'vault.v1.EncryptionService/RotateKek',
    'workflow.v1.AccessPoliciesService/PutAccessPolicy',
    'workflow.v1.PamRulesService/CreateRule',
    'auth.v1.DevicesService/EnrolDevice',
    'auth.v1.SitesService/SetUserSites',
    'workflow.v1.BreakglassService/ConfirmBreakglass',
    'workflow.v1.BreakglassService/CreateBreakglassCodes',
  ]) {
    expect([path, refused(`/claviger.${path}`)]).toEqual([path, 'in_emergency']);
  }
  for (const path of [
    'vault.v1.EntriesService/RetrieveEntry',
    'workflow.v1.BreakglassService/DeactivateBreakglass',
    'audit.v1.AuditService/ListEvents',
    'audit.v1.AuditService/VerifyReceipt',
    'audit.v1.ComplianceService/ListReports',
    'auth.v1.UsersService/ListUsers',
    'auth.v1.AuthService/Logout',
  ]) {
    expect([path, refused(`/claviger.${path}`)]).toEqual([path, 'ok']);
  }
});

test('a method that requires sign-in refuses anonymous calls', () => {
  for (const method of methods.values()) {
    if (method.policy!.public || method.policy!.internal) continue;
    expect(() => authorize(method, undefined)).toThrow(
      expect.objectContaining({ reason: 'unauthenticated' }),
    );
  }
});

test('permissions match by whole segments', () => {
  for (const [granted, asked, expected] of [
    ['vault.*', 'vault.entries.read', true],
    ['vault.entries.*', 'vault.entries.read', true],
    ['vault.entries.read', 'vault.entries.read', true],
    ['vault.entries.re*', 'vault.entries.read', false],
    ['vault', 'vault.entries.read', false],
    ['va.*', 'vault.entries.read', false],
    ['*.read', 'vault.entries.read', false],
    ['vault.*', 'vault', false],
  ] as const)
    expect([granted, asked, permits(new Set([granted]), asked)]).toEqual([granted, asked, expected]);
});

test('only the gateway may call a method without a list of callers', () => {
  const method = methodOf('/claviger.vault.v1.EntriesService/UpdateEntry');
  expect(
    ['gateway', 'vault', 'workflow', 'auth', 'audit', 'operator', ''].filter((caller) =>
      mayCall(method, caller),
    ),
  ).toEqual(['gateway']);
});

test('an empty, contradictory or incomplete policy prevents the start of the service', () => {
  const sound = methodOf('/claviger.vault.v1.EntriesService/RetrieveEntry');
  const with_ = (policy: Partial<Policy> | undefined): MethodInfo => ({
    ...sound,
    policy: policy && { ...sound.policy!, ...policy },
  });
  expect(policyProblem(sound)).toBeUndefined();
  for (const wrong of [
    undefined,
    { permission: '' },
    { public: true },
    { authenticated: true },
    { rateTier: 0 },
    { audit: '' },
    { permission: '', internal: true, callers: [] },
    { permission: '', authenticated: true, platform: true, discloses: false },
    { statusField: 'nothing' },
    { otherSuccessStatuses: [201] },
    { maxBodyBytes: -1 },
  ] as const)
    expect(policyProblem(with_(wrong as never)), JSON.stringify(wrong)).toBeDefined();
});
