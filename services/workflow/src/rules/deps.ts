import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { EvaluationPool } from '../evaluation/evaluation-pool.ts';
import type { Devices, Directory } from '../peers.ts';
import type { WorkflowSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface RulesDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly devices: Devices;
  /** Where rules are replayed, previewed and linted. */
  readonly evaluations: EvaluationPool;
  /** What administrators set. */
  readonly settings: SettingsReader<'elevation'>;
}
