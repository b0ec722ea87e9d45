import { type AccountKey, accountKey } from '@claviger/connectors';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { type CallContext, permits } from '@claviger/service-kit';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { VaultSchema, VaultTx } from '../schema.ts';
import { parseModuleConfig } from '../targets/module-config.ts';
import { connectorTarget, type ResourceAddress } from '../targets/resource-target.ts';

export type EntryFilter = (eb: ExpressionBuilder<VaultSchema, 'entries'>) => Expression<SqlBool>;

interface Assigned {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly account_id: string | null;
  readonly account_linked: boolean;
  readonly key: AccountKey | undefined;
}

/** Types that connectors log in with. One account may have an entry of each. */
const LOGIN_TYPES = ['password', 'ssh-key'] as const;

/**
 * Sets the target account of these entries after they, their resource or its module changed. One active entry
 * of each type holds an account; a second one throws conflict `account_taken`. Entries that were linked to
 * one account before stay linked.
 */
export function assignAccounts(tx: VaultTx, context: CallContext, which: EntryFilter): Promise<void> {
  return assign(tx, context.tenantId, which, (other) => {
    throw accountTaken(context, other);
  });
}

/** As `assignAccounts`, for entries of former releases: the later entries of one account become linked. */
export function linkAccounts(tx: VaultTx, tenantId: string, which: EntryFilter): Promise<void> {
  return assign(tx, tenantId, which, () => {});
}

async function assign(
  tx: VaultTx,
  tenantId: string,
  which: EntryFilter,
  refuse: (other: { readonly id: string; readonly name: string }) => void,
): Promise<void> {
  const entries = await lockEntries(tx, which);
  if (entries.length === 0) return;
  const accounts = await lockAccounts(
    tx,
    tenantId,
    entries.flatMap(({ key }) => key ?? []),
  );
  const holders = await holdersOf(
    tx,
    [...accounts.values()],
    entries.map(({ id }) => id),
  );
  const assigned = entries.map((entry) => {
    const accountId = entry.key && accounts.get(textOf(entry.key));
    if (!accountId) return { id: entry.id, accountId: null, linked: false };
    const slot = `${accountId} ${entry.type}`;
    const other = holders.get(slot);
    const wereOne = other?.account_id === entry.account_id && (entry.account_linked || other?.account_linked);
    if (other && !wereOne) refuse(other);
    if (!other) holders.set(slot, entry);
    return { id: entry.id, accountId, linked: other !== undefined };
  });
  await sql`
    UPDATE entries SET account_id = n.account_id, account_linked = n.linked, account_due = false
    FROM unnest(${assigned.map(({ id }) => id)}::uuid[], ${assigned.map(({ accountId }) => accountId)}::uuid[],
      ${assigned.map(({ linked }) => linked)}::boolean[]) AS n (id, account_id, linked)
    WHERE entries.id = n.id`.execute(tx);
  await deleteUnused(
    tx,
    entries.flatMap(({ account_id }) => account_id ?? []),
  );
}

/** Deletes accounts without entries, unless failed logins were counted within the last day. */
async function deleteUnused(tx: VaultTx, accountIds: readonly string[]): Promise<void> {
  if (accountIds.length === 0) return;
  // A transaction that holds the lock is about to assign the account.
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM accounts WHERE id = ANY (${accountIds}::uuid[]) FOR UPDATE SKIP LOCKED`.execute(tx);
  await sql`
    DELETE FROM accounts a WHERE a.id = ANY (${rows.map(({ id }) => id)}::uuid[])
      AND (a.probe_window_at IS NULL OR a.probe_window_at < now() - interval '1 day')
      AND NOT EXISTS (SELECT FROM entries e WHERE e.account_id = a.id)`.execute(tx);
}

/** Locks entries before accounts, each in the order of their keys, to avoid deadlocks. */
async function lockEntries(tx: VaultTx, which: EntryFilter): Promise<Assigned[]> {
  const rows = await tx
    .selectFrom('entries')
    .leftJoin('assets', 'assets.id', 'entries.asset_id')
    .leftJoin('modules', 'modules.id', 'assets.module_id')
    .select([
      'entries.id',
      'entries.name',
      'entries.type',
      'entries.username',
      'entries.account_id',
      'entries.account_linked',
      'entries.created_at',
      'assets.host',
      'assets.port',
      'assets.settings',
      'modules.type as module_type',
      'modules.config',
    ])
    .where('entries.status', '=', 'active')
    .where(which as never)
    .orderBy('entries.id')
    .forNoKeyUpdate('entries')
    .execute();
  // The oldest entry holds an account.
  rows.sort((one, other) => one.created_at.getTime() - other.created_at.getTime());
  return rows.map(({ host, port, settings, module_type, config, username, ...entry }) => {
    const isLogin = LOGIN_TYPES.some((type) => type === entry.type);
    if (!isLogin || !module_type || !config || host === null || port === null || !settings)
      return { ...entry, key: undefined };
    const address = { host, port, settings };
    return { ...entry, key: keyOf({ type: module_type, config }, address, username) };
  });
}

/** Undefined when a former release stored settings that no connector accepts. */
function keyOf(
  module: { readonly type: string; readonly config: Record<string, unknown> },
  address: ResourceAddress,
  username: string,
): AccountKey | undefined {
  try {
    const target = connectorTarget(parseModuleConfig(module.type, module.config), address);
    return accountKey(module.type, target, username);
  } catch (error) {
    if (isClavigerError(error)) return undefined;
    throw error;
  }
}

/** Inserts missing accounts and locks all of them until the transaction ends. */
async function lockAccounts(
  tx: VaultTx,
  tenantId: string,
  keys: readonly AccountKey[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const named = sql`unnest(${keys.map(({ target }) => target)}::text[], ${keys.map(({ account }) => account)}::text[])`;
  await sql`
    INSERT INTO accounts (tenant_id, target_key, account_key)
    SELECT DISTINCT ${tenantId}::uuid, t, a FROM ${named} AS n (t, a) ORDER BY 2, 3
    ON CONFLICT DO NOTHING`.execute(tx);
  const { rows } = await sql<{ id: string; target_key: string; account_key: string }>`
    SELECT id, target_key, account_key FROM accounts
    WHERE (target_key, account_key) IN (SELECT t, a FROM ${named} AS n (t, a))
    ORDER BY target_key, account_key FOR UPDATE`.execute(tx);
  return new Map(rows.map((row) => [textOf({ target: row.target_key, account: row.account_key }), row.id]));
}

/** The holder of each account and type, without the entries that are being assigned. */
async function holdersOf(tx: VaultTx, accountIds: readonly string[], except: readonly string[]) {
  const rows = await tx
    .selectFrom('entries')
    .select(['id', 'name', 'type', 'account_id', 'account_linked'])
    .where('status', '=', 'active')
    .where(sql<boolean>`account_id = ANY (${accountIds}::uuid[])`)
    .where(sql<boolean>`id <> ALL (${except}::uuid[])`)
    .orderBy('account_linked')
    .orderBy('created_at')
    .execute();
  type Holder = Pick<Assigned, 'id' | 'name' | 'type' | 'account_id' | 'account_linked'>;
  const holders = new Map<string, Holder>();
  for (const row of rows) {
    const slot = `${row.account_id} ${row.type}`;
    if (!holders.has(slot)) holders.set(slot, row);
  }
  return holders;
}

const textOf = ({ target, account }: AccountKey): string => `${target} ${account}`;

function accountTaken(
  context: CallContext,
  other: { readonly id: string; readonly name: string },
): ClavigerError {
  const mayKnow = permits(context.actor.permissions, 'vault.entries.read');
  return new ClavigerError(
    'conflict',
    mayKnow
      ? `The entry "${other.name}" (${other.id}) already holds this account of the target.`
      : 'Another entry already holds this account of the target.',
    {
      code: 'account_taken',
      hint: 'Use that entry, or delete it first. An account has one entry, whatever the spelling of its host and user name.',
    },
  );
}
