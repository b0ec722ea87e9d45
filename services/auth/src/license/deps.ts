import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthSchema } from '../schema.ts';
import type { OwnSettings } from '../settings/own-settings.ts';

/** Dependencies of the operations and duties in this folder. */
export interface LicenseDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  /** The settings that this service reads. */
  readonly settings: OwnSettings;
}
