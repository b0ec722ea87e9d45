import { join } from 'node:path';
import type { LeafFiles } from '@claviger/identity';
import type { StoreService } from './services.ts';

/** The paths below the data folder. No other file builds them. */
export interface Layout {
  readonly dataDir: string;
  /** Folders 0700; files in them 0600. */
  readonly secrets: string;
  readonly pki: string;
  readonly config: string;
  readonly logs: string;
  readonly run: string;
  /** Tree heads of the audit log: append-only files outside the database. */
  readonly heads: string;
  /** Journals of emergency disclosures, one file per vault. */
  readonly journals: string;
  readonly stateFile: string;
  /** The operator's settings by service, merged over the generated configuration. Only read. */
  readonly settingsFile: string;
  /** The addresses of this machine that the operator has opened to targets, one per line. */
  readonly openTargetsFile: string;
  secret(name: string): string;
  databasePassword(role: string): string;
  natsPassword(user: string): string;
  outboxMacKey(service: StoreService): string;
  leaf(service: string): LeafFiles;
  readonly internalCa: string;
  /** The CA certificate that clients trust for HTTPS. */
  readonly edgeCa: string;
  readonly edge: LeafFiles;
  configFile(node: string): string;
  logFile(name: string): string;
}

export function layoutOf(dataDir: string): Layout {
  const at = (...segments: string[]) => join(dataDir, ...segments);
  const leaf = (name: string) => ({ certFile: at('pki', `${name}.crt`), keyFile: at('pki', `${name}.key`) });
  return {
    dataDir,
    secrets: at('secrets'),
    pki: at('pki'),
    config: at('config'),
    logs: at('logs'),
    run: at('run'),
    heads: at('heads'),
    journals: at('journals'),
    stateFile: at('installation.json'),
    settingsFile: at('settings.json'),
    openTargetsFile: at('open-targets'),
    secret: (name) => at('secrets', name),
    databasePassword: (role) => at('secrets', `database-${role}`),
    natsPassword: (user) => at('secrets', `nats-${user}`),
    outboxMacKey: (service) => at('secrets', `outbox-mac-${service}`),
    leaf: (service) => leaf(`svc-${service}`),
    internalCa: at('pki', 'internal-ca.crt'),
    edgeCa: at('pki', 'ca.crt'),
    edge: leaf('edge'),
    configFile: (node) => at('config', `${node}.json`),
    logFile: (name) => at('logs', `${name}.log`),
  };
}
