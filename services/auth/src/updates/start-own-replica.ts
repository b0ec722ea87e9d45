import type { Database } from '@claviger/database';
import { type Logger, productVersion } from '@claviger/service-kit';
import { type SettingsSource, startReplica } from '@claviger/settings';
import type { AuthConfig } from '../config.ts';
import type { AuthSchema } from '../schema.ts';
import { recordReplica } from './record-replica.ts';

/** Records this replica of auth until it is disposed; other services report theirs by RPC. */
export function startOwnReplica(
  deps: { readonly config: AuthConfig; readonly database: Database<AuthSchema>; readonly logger: Logger },
  source: SettingsSource,
): AsyncDisposable {
  const { config, database, logger } = deps;
  return startReplica({ config, logger }, source, (ending) =>
    recordReplica(database, {
      service: 'auth',
      node: config.node,
      version: productVersion,
      runningMs: Math.round(process.uptime() * 1_000),
      ending,
    }),
  );
}
