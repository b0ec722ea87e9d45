import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { EvaluationPool } from '../evaluation/evaluation-pool.ts';
import type { Devices, Directory } from '../peers.ts';
import type { WorkflowSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface RulesDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly devices: Devices;
  /** Runs replay, preview and lint. */
  readonly evaluations: EvaluationPool;
  /** The settings of the tenants. */
  readonly settings: SettingsReader<'elevation'>;
}
