import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { Devices, Directory } from '../peers.ts';
import type { Decider } from '../rules/decider.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { CommandBell } from './command-bell.ts';

/** What the operations and duties in this folder need. */
export interface ElevationDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly devices: Devices;
  /** The one way to decide a request by rules. */
  readonly decider: Decider;
  /** What administrators set. */
  readonly settings: SettingsReader<'elevation'>;
  /** Rings when a command was queued for a device. */
  readonly bell: Pick<CommandBell, 'wait'>;
}
