import type { WorkflowDeps } from '../deps.ts';
import type { CommandBell } from './command-bell.ts';

export interface ElevationDeps
  extends Pick<
    WorkflowDeps,
    'database' | 'emitter' | 'logger' | 'directory' | 'settings' | 'decider' | 'devices'
  > {
  /** Rings when a command was queued for a device. */
  readonly bell: Pick<CommandBell, 'wait'>;
}
