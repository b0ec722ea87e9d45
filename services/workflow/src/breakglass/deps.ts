import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { Directory, Emergency, EmergencyRestriction } from '../peers.ts';
import type { WorkflowSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface BreakglassDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly emergency: Emergency;
  readonly emergencyRestriction: EmergencyRestriction;
  readonly directory: Directory;
  /** The settings of the tenants. */
  readonly settings: SettingsReader<'breakglass'>;
}
