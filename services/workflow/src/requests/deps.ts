import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { Devices, Directory, Vault } from '../peers.ts';
import type { Decider } from '../rules/decider.ts';
import type { WorkflowSchema } from '../schema.ts';

/** Dependencies of the operations in this folder. */
export interface RequestsDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly vault: Vault;
  readonly directory: Directory;
  readonly devices: Devices;
  /** Decides a request by the rules. */
  readonly decider: Decider;
  /** The settings of the tenants. */
  readonly settings: SettingsReader<'access'>;
}
