import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { RootKeyProvider } from '@claviger/keyring';
import type { Logger } from '@claviger/service-kit';
import type { VaultConfig } from '../config.ts';
import type { VaultSchema } from '../schema.ts';
import type { Secrets } from './secrets.ts';
import type { TenantKeys } from './tenant-keys.ts';

/** What the operations and duties in this folder need. */
export interface EncryptionDeps {
  readonly config: VaultConfig;
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly keys: TenantKeys;
  /** Throws `sealed` or `unavailable` while it cannot be had. */
  readonly rootKey: () => RootKeyProvider;
  /** `open` or `sealed`, and which root key it is. */
  readonly rootKeyState: () => { readonly provider: string; readonly keyId: string; readonly state: string };
}
