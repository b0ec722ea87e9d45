import type { Database, SchemaHistory } from '@claviger/database';
import { type Logger, type Peers, productVersion, type RpcServer } from '@claviger/service-kit';
import {
  createReader,
  type SectionValues,
  type SettingsReader,
  sections,
  startReplica,
} from '@claviger/settings';
import type { AuthConfig } from './config.ts';
import type { AuthDeps } from './deps.ts';
import { addLicenceHandlers } from './licence/add-licence-handlers.ts';
import type { TenantKeys } from './mfa/tenant-keys.ts';
import type { AuthSchema } from './schema.ts';
import { addSettingsHandlers } from './settings/add-settings-handlers.ts';
import { settingsSource } from './settings/settings-source.ts';
import { addUpdatesHandlers } from './updates/add-updates-handlers.ts';
import { recordReplica } from './updates/record-replica.ts';
import { schemaHistories } from './updates/schema-histories.ts';

/** What this service itself reads. */
export type OwnSettings = SettingsReader<'access' | 'licence'>;

/** Settings, licence and update status: this service keeps them for all others. */
export interface Administration extends AsyncDisposable {
  readonly settings: OwnSettings;
  /** As they are now: what a start takes up. */
  readonly atStart: SectionValues<'passwords'>['passwords'];
  addHandlers(server: RpcServer, deps: AuthDeps): void;
}

export async function openAdministration(options: {
  config: AuthConfig;
  database: Database<AuthSchema>;
  tenantKeys: TenantKeys;
  peers: Peers;
  logger: Logger;
  ownHistory: () => Promise<SchemaHistory>;
}): Promise<Administration> {
  const { config, database, logger, peers } = options;
  const source = settingsSource(database, options.tenantKeys);
  const found = await source({ tenantId: '', sections: ['passwords'], knownVersion: '' });
  const replica = startReplica({ config, logger }, source, (ending) =>
    recordReplica(database, {
      service: 'auth',
      node: config.node,
      version: productVersion,
      runningMs: Math.round(process.uptime() * 1_000),
      ending,
    }),
  );
  return {
    settings: createReader({ source, sections: ['access', 'licence'], logger, freshMs: 0 }),
    atStart: sections.passwords.parse((found.values?.passwords ?? {}) as Record<string, unknown>),
    addHandlers: (server, deps) => {
      addSettingsHandlers(server, deps, source);
      addLicenceHandlers(server, deps);
      addUpdatesHandlers(
        server,
        deps,
        schemaHistories({
          peers,
          hasPeer: (service) => config.peers[service] !== undefined,
          own: options.ownHistory,
          logger,
        }),
      );
    },
    [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
  };
}
