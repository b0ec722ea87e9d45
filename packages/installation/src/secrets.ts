import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { ensureEd25519KeyFiles, ensureSecretFile } from '@claviger/identity';
import { databaseRoles } from './database-roles.ts';
import type { Layout } from './layout.ts';
import { natsUsers, storeServices } from './services.ts';

/** The Ed25519 key pairs of an installation: `<name>.pem` and `<name>.pub.pem` in the secrets folder. */
export const signingKeys = ['access-token', 'actor-token', 'vault-receipt', 'audit-tree-head'] as const;

/**
 * Creates the folders and every missing key and secret. Overwrites nothing. Root keys are created only for a
 * new installation: with existing data a new key could decrypt nothing and would hide the loss of the former
 * one.
 */
export async function ensureSecrets(layout: Layout): Promise<void> {
  for (const folder of [
    layout.secrets,
    layout.config,
    layout.logs,
    layout.run,
    layout.heads,
    layout.journals,
  ]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  }
  // Auth and vault have different root keys: one does not decrypt the other's secrets. Root keys are created
  // first, so that the presence of any other secret proves that they were created.
  const isNew = !existsSync(layout.databasePassword(databaseRoles('vault').service));
  if (isNew) await Promise.all(rootKeyFiles(layout).map((file) => ensureSecretFile(file)));
  const names = [
    layout.secret('postgres-superuser'),
    layout.secret('redis'),
    layout.secret('auth-pepper'),
    ...natsUsers.map((user) => layout.natsPassword(user)),
    ...storeServices.map((service) => layout.outboxMacKey(service)),
    ...storeServices.flatMap((service) =>
      Object.values(databaseRoles(service)).map((role) => layout.databasePassword(role)),
    ),
  ];
  await Promise.all([
    ...names.map((file) => ensureSecretFile(file)),
    ...signingKeys.map((name) =>
      ensureEd25519KeyFiles(layout.secret(`${name}.pem`), layout.secret(`${name}.pub.pem`)),
    ),
  ]);
}

const rootKeyFiles = (layout: Layout) => [layout.secret('auth-root-key'), layout.secret('vault-root-key')];
