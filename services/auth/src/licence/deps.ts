import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthSchema } from '../schema.ts';
import type { OwnSettings } from '../settings/own-settings.ts';

/** What the operations and duties in this folder need. */
export interface LicenceDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  /** What administrators set, as far as this service goes by it. */
  readonly settings: OwnSettings;
}
