import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { ensureEd25519KeyFiles, ensureSecretFile } from '@claviger/identity';
import { databaseRoles } from './database-roles.ts';
import type { Layout } from './layout.ts';
import { natsUsers, storeServices } from './services.ts';

/** The Ed25519 key pairs of an installation: `<name>.pem` and `<name>.pub.pem` in the secrets folder. */
export const signingKeys = ['access-token', 'actor-token', 'vault-receipt', 'audit-tree-head'] as const;

/**
 * Creates the folders and every key and secret that is missing. Nothing that exists is overwritten; root keys
 * are made for a new installation only: where there is data already, a new one would open nothing, and hide
 * that the old one is gone.
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
  // Auth and vault encrypt under different roots: whoever has one cannot read the other's secrets. They are
  // made before everything else, so that what else is there tells whether they had been made.
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
