import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { RootKeyProvider } from '@claviger/keyring';
import type { Logger } from '@claviger/service-kit';
import type { VaultConfig } from '../config.ts';
import type { VaultSchema } from '../schema.ts';
import type { Secrets } from './secrets.ts';
import type { TenantKeys } from './tenant-keys.ts';

/** Dependencies of the operations and duties in this folder. */
export interface EncryptionDeps {
  readonly config: VaultConfig;
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly keys: TenantKeys;
  /** Throws `sealed` or `unavailable` while the root key is missing. */
  readonly rootKey: () => RootKeyProvider;
  /** State (`open` or `sealed`) and id of the root key. */
  readonly rootKeyState: () => { readonly provider: string; readonly keyId: string; readonly state: string };
}
