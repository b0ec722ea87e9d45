import { pollUntil } from '@claviger/api-client/poll';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { DemoTarget } from './demo-target.ts';
import { check, DemoFailure, type Narrator } from './narrator.ts';
import { mustBeRefused, type Person } from './person.ts';
import type { StoredAccount } from './store-account.ts';

export interface Cast {
  readonly admin: Person;
  /**
   * Requests access. Also has the role of an approver, so that only the rule against self-approval stops her.
   */
  readonly alice: Person;
  /** The approver. */
  readonly bob: Person;
  /** The auditor. */
  readonly carol: Person;
}

const requests = workflow.RequestsService;
const grants = workflow.GrantsService;
const rotationDeadlineMs = 120_000;

/** Request, approval, one-time delivery, end and rotation. Returns the receipt of the disclosure. */
export async function accessStory(
  narrator: Narrator,
  { admin, alice, bob }: Cast,
  target: DemoTarget,
  stored: StoredAccount,
): Promise<workflow.Receipt> {
  const requestId = await ask(narrator, alice, stored);
  const grantId = await decide(narrator, alice, bob, requestId);
  const { secret, receipt } = await receive(narrator, alice, bob, grantId, target);

  narrator.does(alice.name, `claviger revoke ${grantId} --reason "done early"`);
  const { grant } = await alice.api.call(grants.revokeGrant, { grantId, reason: 'done early' });
  check(narrator, 'the access has ended at once', grant!.status === 'revoked');

  await untilRotated(narrator, admin, stored);
  check(narrator, `the old password is refused by the ${target.title}`, !(await target.accepts(secret)));
  narrator.does(admin.name, `claviger entries retrieve ${stored.resourceName} --reason "prove the rotation"`);
  const current = await admin.api.call(vault.EntriesService.retrieveEntry, {
    entryId: stored.entryId,
    reason: 'prove the rotation',
  });
  const isNew = current.secret !== secret && (await target.accepts(current.secret));
  check(narrator, `the vault's new password (version ${current.version}) logs in`, isNew);
  return receipt;
}

async function ask(
  narrator: Narrator,
  alice: Person,
  { resourceId, resourceName }: StoredAccount,
): Promise<string> {
  const reason = 'look into slow queries';
  narrator.does(alice.name, `claviger request ${resourceName} --for 1h --reason "${reason}"`);
  const { request } = await alice.api.call(requests.createRequest, {
    resourceId,
    reason,
    durationMinutes: 60,
  });
  check(narrator, `request ${request!.id} waits for a decision`, request!.status === 'pending');
  return request!.id;
}

async function decide(narrator: Narrator, alice: Person, bob: Person, requestId: string): Promise<string> {
  narrator.does(alice.name, `claviger approve ${requestId}`);
  await mustBeRefused(
    narrator,
    'alice may approve requests, but not her own',
    { status: 403, code: 'self_approval' },
    alice.api.call(requests.approveRequest, { requestId }),
  );
  const { request: seen } = await bob.api.call(requests.getRequest, { requestId });
  narrator.does(bob.name, `claviger approve ${requestId} --for 15m --comment "a quarter of an hour will do"`);
  const { request } = await bob.api.call(requests.approveRequest, {
    requestId,
    digest: seen!.digest,
    durationMinutes: 15,
    comment: 'a quarter of an hour will do',
  });
  check(
    narrator,
    `approved by bob, for ${request!.approvedDurationMinutes} minutes instead of ${request!.durationMinutes}`,
    request!.status === 'approved' && request!.approvedDurationMinutes === 15,
  );
  const grant = await pollUntil(
    async () => (await alice.api.call(grants.getGrant, { grantId: request!.grantId })).grant!,
    ({ status }) => status !== 'activating',
    { timeoutMs: 120_000, everyMs: 500 },
  );
  if (grant.status !== 'active') throw new DemoFailure(`the grant is ${grant.status}, not active`);
  return grant.id;
}

async function receive(
  narrator: Narrator,
  alice: Person,
  bob: Person,
  grantId: string,
  target: DemoTarget,
): Promise<{ secret: string; receipt: workflow.Receipt }> {
  await mustBeRefused(
    narrator,
    'bob, who approved it, cannot take the credential',
    { status: 403 },
    bob.api.call(grants.getGrantCredentials, { grantId }),
  );
  narrator.does(alice.name, `claviger get ${grantId} --output-file ./password --receipt-file ./receipt`);
  const { secret, username, receipt } = await alice.api.call(grants.getGrantCredentials, { grantId });
  if (receipt === undefined) throw new DemoFailure('the credential came without a receipt');
  narrator.shows(
    `the password of ${username} was delivered (${secret.length} characters, not shown here), with a receipt`,
  );
  check(narrator, `alice logs in to the ${target.title} with it`, await target.accepts(secret));
  await mustBeRefused(
    narrator,
    'asking for it a second time',
    { status: 409, code: 'already_delivered' },
    alice.api.call(grants.getGrantCredentials, { grantId }),
  );
  return { secret, receipt };
}

async function untilRotated(
  narrator: Narrator,
  admin: Person,
  { entryId, resourceName }: StoredAccount,
): Promise<void> {
  narrator.does(admin.name, `claviger entries rotations ${resourceName}`);
  const rotation = await pollUntil(
    async () => (await admin.api.call(vault.EntriesService.listRotations, { entryId })).items[0],
    (latest) => latest !== undefined && latest.state !== 'pending' && latest.state !== 'applying',
    { timeoutMs: rotationDeadlineMs, everyMs: 1_000 },
  );
  const state = rotation === undefined ? 'not queued' : `${rotation.state} ${rotation.problem}`.trim();
  if (rotation?.state !== 'verified')
    throw new DemoFailure(`the rotation is ${state} after at most ${rotationDeadlineMs / 1000} s`);
  check(
    narrator,
    `rotated because the grant ended (${rotation.trigger}), and proven by a login`,
    rotation.trigger === 'grant-ended',
  );
}
