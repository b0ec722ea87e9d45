import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { Directory, Emergency, Standing } from '../peers.ts';
import type { WorkflowSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface BreakglassDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly emergency: Emergency;
  readonly standing: Standing;
  readonly directory: Directory;
  /** What administrators set. */
  readonly settings: SettingsReader<'breakglass'>;
}
