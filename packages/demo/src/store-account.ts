import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { DemoTarget } from './demo-target.ts';
import { check, type Narrator } from './narrator.ts';
import type { Person } from './person.ts';

/** What the vault knows of a target's account. */
export interface StoredAccount {
  readonly moduleId: string;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly entryId: string;
}

/** The administrator sets up connector, resource, entry and policy; the vault proves that it can log in. */
export async function storeAccount(
  narrator: Narrator,
  admin: Person,
  target: DemoTarget,
  suffix: string,
): Promise<StoredAccount> {
  const { api } = admin;
  const name = `demo-${target.name}${suffix}`;
  narrator.does(
    admin.name,
    `claviger modules create ${name} --type ${target.module.type} --config module.json`,
  );
  const { module } = await api.call(vault.ModulesService.createModule, { name, ...target.module });
  narrator.does(
    admin.name,
    `claviger resources create ${name} --type ${target.resource.type} --module ${name} …`,
  );
  const { resource } = await api.call(vault.ResourcesService.createResource, {
    name,
    moduleId: module!.id,
    ...target.resource,
  });
  narrator.does(
    admin.name,
    `claviger entries create ${name} --username ${target.account.username} --resource ${name} < password`,
  );
  const { entry } = await api.call(vault.EntriesService.createEntry, {
    name,
    type: 'password',
    resourceId: resource!.id,
    username: target.account.username,
    secret: target.account.password,
  });
  await api.call(workflow.AccessPoliciesService.putAccessPolicy, {
    resourceId: resource!.id,
    steps: [{ name: 'colleague', quorum: 1, approverUserIds: [], approverRoles: [] }],
    maxDurationMinutes: 480,
    oneTime: true,
    rotateOnEnd: true,
    requestTtlMinutes: 60,
  });
  narrator.note('policy: one approval, the credential is shown once, rotated when the access ends');
  const stored = { moduleId: module!.id, resourceId: resource!.id, resourceName: name, entryId: entry!.id };
  const verified = await api.call(vault.EntriesService.verifyEntry, { entryId: stored.entryId });
  check(
    narrator,
    `the vault logs in to the ${target.title} with what it keeps ${problemText(verified)}`.trim(),
    verified.outcome === 'accepted',
  );
  return stored;
}

const problemText = ({ problem }: vault.VerifyEntryResponse) => (problem === '' ? '' : `(${problem})`);
