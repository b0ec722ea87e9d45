import type * as auth from '@claviger/contracts/auth/v1/auth';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type * as emergencyStanding from '@claviger/contracts/auth/v1/emergency_standing';
import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { EvaluationPool } from './evaluation/evaluation-pool.ts';
import type { Decider } from './rules/decider.ts';
import type { WorkflowSchema } from './schema.ts';

/** The vault as workflow knows it: what exists, and who is entitled to what until when. */
export type Vault = ServiceClient<typeof vault.EntitlementsService>;
/** What the vault opens in an emergency. */
export type Emergency = ServiceClient<typeof emergency.EmergencyService>;
/** Who administers nothing meanwhile. */
export type Standing = ServiceClient<typeof emergencyStanding.EmergencyStandingService>;
export type Directory = Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
/** What auth knows of devices and of the names that they report. */
export type Devices = Pick<
  ServiceClient<typeof devices.DeviceDirectoryService>,
  'describeDevice' | 'resolveSubject' | 'listPermittedUsers'
>;

/** What the handlers and duties of this service work with. */
export interface WorkflowDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly vault: Vault;
  readonly emergency: Emergency;
  readonly standing: Standing;
  readonly directory: Directory;
  readonly devices: Devices;
  /** The one way to decide a request by rules. */
  readonly decider: Decider;
  /** Where rules are replayed, previewed and linted. */
  readonly evaluations: EvaluationPool;
  /** What administrators set. */
  readonly settings: SettingsReader<'access' | 'assistant' | 'breakglass' | 'elevation'>;
}
