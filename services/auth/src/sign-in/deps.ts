import type { KeyObject } from 'node:crypto';
import type * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { AuthConfig } from '../config.ts';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { AuthSchema } from '../schema.ts';
import type { OwnSettings } from '../settings/own-settings.ts';
import type { AccessTokens } from './access-token.ts';
import type { Liveness } from './liveness.ts';

/** Dependencies of the operations and duties in this folder. */
export interface SignInDeps {
  readonly config: AuthConfig;
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly passwords: PasswordHasher;
  readonly accessTokens: AccessTokens;
  readonly liveness: Liveness;
  readonly tenantKeys: TenantKeys;
  /**
   * Workflow ends requests, grants and elevations of accounts; undefined if this installation has no
   * workflow.
   */
  readonly accountStatus: ServiceClient<typeof accountStatus.AccountStatusService> | undefined;
  /** The settings that this service reads. */
  readonly settings: OwnSettings;
  readonly actorKey: KeyObject;
  /** Keyed hash of a sign-in name, so that unknown names are not stored in clear text. */
  readonly nameHash: (canonicalLogin: string) => string;
}
