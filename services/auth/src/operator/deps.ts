import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthConfig } from '../config.ts';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { AuthSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface OperatorDeps {
  readonly config: AuthConfig;
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly passwords: PasswordHasher;
  readonly tenantKeys: TenantKeys;
}
