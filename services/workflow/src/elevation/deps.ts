import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { Devices, Directory } from '../peers.ts';
import type { Decider } from '../rules/decider.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { CommandNotifier } from './command-notifier.ts';

/** Dependencies of the operations and duties in this folder. */
export interface ElevationDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly devices: Devices;
  /** Decides a request by the rules. */
  readonly decider: Decider;
  /** The settings of the tenants. */
  readonly settings: SettingsReader<'elevation'>;
  /** Notifies when a command was queued for a device. */
  readonly notifier: Pick<CommandNotifier, 'wait'>;
}
