import type { ConnectorContext, Credential } from '@claviger/connectors';
import { ClavigerError } from '@claviger/errors';
import { ENCRYPTED_COLUMNS, type EncryptedVersion, type Secrets } from '../encryption/secrets.ts';
import { unproven } from '../rights/unproven.ts';
import type { VaultReader } from '../schema.ts';
import type { TargetsDeps } from './deps.ts';
import { type ModuleConfig, parseModuleConfig, policyOf } from './module-config.ts';
import { connectorTarget } from './resource-target.ts';

/** A resource with all that a connector needs. */
export interface Target {
  readonly resourceId: string;
  readonly ownerId: string | null;
  readonly moduleId: string;
  readonly type: string;
  readonly settings: Record<string, unknown>;
  readonly module: ModuleConfig;
  readonly admin: EncryptedAccount | undefined;
}

/** An account with its current secret, still encrypted. */
export interface EncryptedAccount {
  readonly entryId: string;
  readonly username: string;
  readonly type: string;
  readonly version: EncryptedVersion;
  readonly unproven: boolean;
  /** The account of the target; it changes when the entry or its resource names another account. */
  readonly accountId: string | null;
}

/** The entry and version of the secret. */
export const storedSecret = ({ entryId, version }: EncryptedAccount) => ({
  entryId,
  version: version.version,
});

const CONNECT_TIMEOUT_MS = 5_000;

/** Throws a conflict with a hint if no connector can reach the resource. */
export async function loadTarget(reader: VaultReader, resourceId: string): Promise<Target> {
  const row = await reader
    .selectFrom('assets')
    .leftJoin('modules', 'modules.id', 'assets.module_id')
    .select([
      'assets.status',
      'assets.host',
      'assets.port',
      'assets.settings',
      'assets.admin_entry_id',
      'assets.owner_id',
      'modules.id as module_id',
      'modules.type',
      'modules.config',
      'modules.enabled',
    ])
    .where('assets.id', '=', resourceId)
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  if (!row.module_id || !row.type || !row.config) {
    throw notReachable('no_module', 'The resource has no module.', 'Give the resource a module first.');
  }
  if (!row.enabled) {
    throw notReachable(
      'module_disabled',
      'The module of the resource is disabled.',
      'Enable the module first.',
    );
  }
  if (row.status !== 'active') {
    throw notReachable('resource_disabled', 'The resource is disabled.', 'Set its status to active first.');
  }
  const config = parseModuleConfig(row.type, row.config);
  return {
    resourceId,
    ownerId: row.owner_id,
    moduleId: row.module_id,
    type: row.type,
    settings: connectorTarget(config, row),
    module: config,
    admin: row.admin_entry_id ? await encryptedAccount(reader, row.admin_entry_id) : undefined,
  };
}

/** An entry's user name and current secret; undefined if the entry does not exist. */
export async function encryptedAccount(
  reader: VaultReader,
  entryId: string,
): Promise<EncryptedAccount | undefined> {
  const row = await reader
    .selectFrom('entries')
    .innerJoin('entry_versions', (join) =>
      join
        .onRef('entry_versions.entry_id', '=', 'entries.id')
        .onRef('entry_versions.version', '=', 'entries.current_version'),
    )
    .select(ENCRYPTED_COLUMNS)
    .select(['entries.username', 'entries.type', 'entries.unproven', 'entries.account_id'])
    .where('entries.id', '=', entryId)
    .where('entries.status', '=', 'active')
    .executeTakeFirst();
  if (!row) return undefined;
  const { username, type, unproven, account_id: accountId } = row;
  return { entryId, username, type, version: row, unproven, accountId };
}

/** The admin entry of the resource, if it has one. Throws conflict `unproven` for an unproven one. */
export function usableAdmin({ admin }: Pick<Target, 'admin'>): EncryptedAccount | undefined {
  if (admin?.unproven) throw unproven('conflict', 'The admin entry of the resource');
  return admin;
}

/** The decrypted secret, for the connector only. */
export async function credentialOf(account: EncryptedAccount, secrets: Secrets): Promise<Credential> {
  const secret = await secrets.decrypt(account.version);
  return account.type === 'ssh-key'
    ? { username: account.username, privateKey: secret }
    : { username: account.username, password: secret };
}

/** Uses the platform's current rules. */
export function connectorContext(
  { platform }: Pick<TargetsDeps, 'platform'>,
  target: Target,
  operationTimeoutMs: number,
  signal: AbortSignal,
): ConnectorContext {
  const allow = policyOf(target.module, platform.rules());
  return { signal, connectTimeoutMs: CONNECT_TIMEOUT_MS, operationTimeoutMs, allow };
}

function notReachable(code: string, message: string, hint: string): ClavigerError {
  return new ClavigerError('conflict', message, { code, hint });
}
