import { randomUUID } from 'node:crypto';
import { methods } from '@claviger/contracts';
import { enrolSecondFactor } from '@claviger/testkit';
import { derivedSample } from './derived-sample.ts';
import type { Sample } from './sample.ts';
import { administrationSamples } from './samples-administration.ts';
import { assistantSamples } from './samples-assistant.ts';
import { breakglassSamples } from './samples-breakglass.ts';
import { clusterSamples } from './samples-cluster.ts';
import { complianceSamples } from './samples-compliance.ts';
import { deviceSamples } from './samples-devices.ts';
import { elevationSamples } from './samples-elevation.ts';
import { encryptionSamples } from './samples-encryption.ts';
import { explanationSamples } from './samples-explanations.ts';
import { exposureSamples } from './samples-exposure.ts';
import { ruleSamples } from './samples-rules.ts';
import { tenantSamples } from './samples-tenants.ts';
import type { World } from './world.ts';

const name = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

type Samples = Readonly<Record<string, ((world: World) => Promise<Sample> | Sample) | null>>;

/** Samples that cannot be derived from the declaration; `null`: the success is tested in test/e2e. */
const ownSamples: Samples = {
  ...administrationSamples,
  ...assistantSamples,
  ...breakglassSamples,
  ...clusterSamples,
  ...complianceSamples,
  ...deviceSamples,
  ...elevationSamples,
  ...encryptionSamples,
  ...explanationSamples,
  ...exposureSamples,
  ...ruleSamples,
  ...tenantSamples,
  // audit
  // The caller reads nothing else, because a repeated read leaves no event.
  ListEvents: (w) => ({ client: w.auditor.client }),
  GetEvent: (w) => ({ client: w.auditor.client, params: { event_id: w.eventId } }),
  ExportEvents: () => ({ query: '?format=csv' }),
  GetSummary: (w) => ({ client: w.auditor.client }),
  GetTreeHead: (w) => ({ client: w.auditor.client }),
  ListTreeHeads: (w) => ({ client: w.auditor.client }),
  GetInclusionProof: (w) => ({ client: w.auditor.client, params: { event_id: w.eventId } }),
  GetConsistencyProof: (w) => ({ client: w.auditor.client, query: '?first=1&second=1' }),
  VerifyReceipt: async (w) => {
    const entry = await w.createEntry({ detached: true });
    const { receipt } = await w.admin.must('POST', `/api/v1/vault/entries/${entry}/retrieve`, {
      reason: 'receipt',
    });
    return { body: { receipt } };
  },
  // auth
  Login: (w) => ({
    body: { username: w.requester.username, password: w.requester.password, tenant: w.tenant.name },
  }),
  CompleteMfaChallenge: null,
  Refresh: async (w) => {
    const { username, password } = w.requester;
    const login = await w.admin
      .as(undefined)
      .must('POST', '/api/v1/auth/login', { username, password, tenant: w.tenant.name });
    return { body: { refresh_token: login.refresh_token }, client: w.admin.as(undefined) };
  },
  Logout: async (w) => ({ client: (await w.createUser()).client }),
  SetupMfa: async (w) => ({ client: (await w.createUser()).client }),
  SetupMfaWithPassword: async (w) => {
    const { client, password } = await w.createUser();
    return { client, body: { password } };
  },
  VerifyMfa: null,
  DisableMfa: null,
  RegenerateRecoveryCodes: null,
  ChangeMyPassword: async (w) => {
    const user = await w.createUser();
    return {
      client: user.client,
      body: { currentPassword: user.password, newPassword: `${randomUUID()} Aa9` },
    };
  },
  CompletePasswordReset: async (w) => {
    const user = await w.createUser();
    const { resetToken } = await w.admin.must('POST', `/api/v1/users/${user.id}/password/reset`, {});
    return { client: w.admin.as(undefined), body: { token: resetToken, newPassword: `${randomUUID()} Aa9` } };
  },
  CompleteSetup: null,
  CreateUser: () => ({ body: { username: name('user'), roles: ['requester'] } }),
  UpdateUser: async (w) => ({
    params: { user_id: (await w.createUser()).id },
    body: { displayName: 'Another' },
  }),
  DeleteUser: async (w) => ({ params: { user_id: (await w.createUser()).id } }),
  UpdateUserRoles: async (w) => ({
    params: { user_id: (await w.createUser()).id },
    body: { roles: ['auditor'] },
  }),
  SetResponsiblePerson: async (w) => {
    const machine = await w.admin.must('POST', '/api/v1/users', { username: name('robot'), kind: 'machine' });
    return { params: { user_id: machine.id as string }, body: {} };
  },
  StartPasswordReset: async (w) => ({ params: { user_id: (await w.createUser()).id }, body: {} }),
  SetUserPassword: async (w) => ({
    params: { user_id: (await w.createUser()).id },
    body: { password: `${randomUUID()} Aa9` },
  }),
  RevokeUserSessions: async (w) => ({ params: { user_id: (await w.createUser()).id }, body: {} }),
  DisableUserMfa: async (w) => {
    const user = await w.createUser();
    await enrolSecondFactor(user.client);
    return { params: { user_id: user.id } };
  },
  UnlockUser: async (w) => ({ params: { user_id: (await w.createUser()).id }, body: {} }),
  GetRole: (w) => ({ params: { role_id: w.roleId } }),
  CreateRole: () => ({ body: { name: name('role'), permissions: ['resources.read'] } }),
  UpdateRole: (w) => ({
    params: { role_id: w.roleId },
    body: { description: 'narrow', permissions: ['resources.read'] },
  }),
  DeleteRole: async (w) => {
    const role = await w.admin.must('POST', '/api/v1/roles', { name: name('role'), permissions: [] });
    return { params: { role_id: role.id as string } };
  },
  CreateApiToken: () => ({ body: { name: 'robot' } }),
  RevokeApiToken: async (w) => {
    const { apiToken } = await w.admin.must('POST', '/api/v1/api-tokens', { name: 'robot' });
    return { params: { api_token_id: (apiToken as { id: string }).id } };
  },
  // vault
  CreateResource: () => ({ body: { name: name('host'), type: 'server' } }),
  UpdateResource: async (w) => ({
    params: { resource_id: await w.createResource() },
    body: { description: 'moved' },
  }),
  PutResourceOwner: async (w) => ({
    params: { resource_id: await w.createResource() },
    body: { ownerId: w.userId },
  }),
  DeleteResource: async (w) => ({ params: { resource_id: await w.createResource() } }),
  DiscoverAccounts: (w) => ({ params: { resource_id: w.resourceId }, body: {} }),
  CreateEntry: () => ({ body: { name: name('note'), type: 'note', secret: 'text' } }),
  UpdateEntry: async (w) => ({
    params: { entry_id: await w.createEntry({ detached: true }) },
    body: { description: 'changed' },
  }),
  DeleteEntry: async (w) => ({ params: { entry_id: await w.createEntry({ detached: true }) } }),
  RetrieveEntry: (w) => ({ params: { entry_id: w.entryId }, body: { reason: 'conformance' } }),
  RotateEntry: async (w) => ({
    params: { entry_id: await w.createEntry() },
    body: { reason: 'conformance' },
  }),
  GetRotation: (w) => ({ params: { entry_id: w.entryId, rotation_id: w.rotationId } }),
  PutRotationSchedule: async (w) => ({
    params: { entry_id: await w.createEntry() },
    body: { intervalHours: 720 },
  }),
  VerifyEntry: (w) => ({ params: { entry_id: w.entryId }, body: {} }),
  AcceptAccount: async (w) => {
    const operator = await w.tenant.createUser(['operator']);
    const named = await operator.client.must('POST', '/api/v1/vault/entries', {
      name: name('account'),
      resourceId: w.resourceId,
      username: name('app'),
      generate: true,
    });
    return { params: { entry_id: named.id as string }, body: { reason: 'ours' } };
  },
  RecoverCandidates: (w) => ({ params: { entry_id: w.entryId }, body: { reason: 'conformance' } }),
  // The owner of the resource adopts the entry of a deleted user.
  AdoptEntry: async (w) => {
    const leaver = await w.tenant.createUser(['operator']);
    const body = { name: name('left'), resourceId: await w.createResource(), secret: 'kept' };
    const entry = await leaver.client.must('POST', '/api/v1/vault/entries', body);
    await w.admin.must('DELETE', `/api/v1/users/${leaver.id}`);
    return { params: { entry_id: entry.id as string }, body: { reason: 'conformance' } };
  },
  PutShare: (w) => ({ params: { entry_id: w.entryId, user_id: w.approver.id }, body: { access: 'view' } }),
  DeleteShare: async (w) => {
    const user = await w.createUser();
    await w.admin.must('PUT', `/api/v1/vault/entries/${w.entryId}/shares/${user.id}`, { access: 'view' });
    return { params: { entry_id: w.entryId, user_id: user.id } };
  },
  CreateModule: (w) => ({
    body: {
      name: name('postgres'),
      type: 'postgres',
      config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [w.target.port] },
    },
  }),
  UpdateModule: async (w) => ({
    params: { module_id: await w.createModule() },
    body: {
      name: name('postgres'),
      config: { allowedCidrs: ['127.0.0.1/32'], allowedPorts: [w.target.port] },
    },
  }),
  PatchModule: async (w) => ({ params: { module_id: await w.createModule() }, body: { enabled: false } }),
  DeleteModule: async (w) => ({ params: { module_id: await w.createModule() } }),
  TestModule: (w) => ({ params: { module_id: w.moduleId }, body: { resourceId: w.resourceId } }),
  // workflow
  CreateRequest: async (w) => ({
    client: w.requester.client,
    body: { entryId: await w.createEntry({ detached: true }), reason: 'conformance', durationMinutes: 15 },
  }),
  ApproveRequest: async (w) => ({
    client: w.approver.client,
    params: { request_id: await w.createRequest() },
    body: {},
  }),
  DenyRequest: async (w) => ({
    client: w.approver.client,
    params: { request_id: await w.createRequest() },
    body: {},
  }),
  CancelRequest: async (w) => ({
    client: w.requester.client,
    params: { request_id: await w.createRequest() },
    body: {},
  }),
  RevokeGrant: async (w) => ({
    params: { grant_id: (await w.createGrant()).grantId },
    body: { reason: 'conformance' },
  }),
  GetGrantCredentials: async (w) => ({
    client: w.requester.client,
    params: { grant_id: (await w.createGrant()).grantId },
  }),
  PutAccessPolicy: async (w) => ({
    params: { resource_id: await w.createResource() },
    body: {
      steps: [{ name: 'one', quorum: 1 }],
      maxDurationMinutes: 60,
      oneTime: true,
      rotateOnEnd: true,
      requestTtlMinutes: 60,
    },
  }),
};

/** Samples derived from the declarations. */
const derivedSamples: Samples = Object.fromEntries(
  [...methods.values()].flatMap((method) => {
    const sample = method.http[0] && derivedSample(method, method.http[0]);
    return sample ? [[method.name, sample]] : [];
  }),
);

/** By RPC name. An operation without a sample fails the suite. */
export const samples: Samples = { ...derivedSamples, ...ownSamples };

/** Path of a binding with parameters from the sample, or ids of unknown objects. */
export function fillPath(template: string, params: Readonly<Record<string, string>> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, key: string) => params[key] ?? randomUUID());
}
