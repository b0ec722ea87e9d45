import { isDeepStrictEqual } from 'node:util';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { VaultSchema, VaultTx } from '../schema.ts';
import { isAdministrator } from './effective-access.ts';

/** What determines the host that receives the secrets of a resource's accounts. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly moduleId: string | null;
  readonly settings: object;
  readonly adminEntryId: string | null;
}

/**
 * A login sends a secret to the host. The actor who changes the host needs full access to each secret sent to
 * it: a host of their own would disclose the secret without a grant and without a record. Throws `denied`.
 */
export async function requireDestination(
  tx: VaultTx,
  context: CallContext,
  resourceId: string,
  before: Destination | undefined,
  after: Destination,
): Promise<void> {
  const { adminEntryId: formerAdmin, ...formerAddress } = before ?? { adminEntryId: null };
  const { adminEntryId, ...address } = after;
  const movesAccounts = !isDeepStrictEqual(formerAddress, address);
  const sendsAdmin = adminEntryId !== null && (movesAccounts || adminEntryId !== formerAdmin);
  if (!(movesAccounts || sendsAdmin)) {
    context.accessBasis = '';
    return;
  }
  await requireFullAccessToAll(tx, context, (eb) =>
    eb.or([
      ...(movesAccounts ? [eb('entries.asset_id', '=', resourceId)] : []),
      ...(sendsAdmin ? [eb('entries.id', '=', adminEntryId)] : []),
    ]),
  );
}

/**
 * As `requireDestination`, for the settings that all resources of a module share: the port, the trusted
 * certificates, and where a request contains the secret. Throws `denied`.
 */
export async function requireDestinationOfModule(
  tx: VaultTx,
  context: CallContext,
  moduleId: string,
): Promise<void> {
  await requireFullAccessToAll(tx, context, (eb) => {
    const resources = eb.selectFrom('assets').where('assets.module_id', '=', moduleId);
    return eb.or([
      eb('entries.asset_id', 'in', resources.select('assets.id')),
      eb('entries.id', 'in', resources.select('assets.admin_entry_id')),
    ]);
  });
}

/**
 * A host receives a secret that requires a grant without a grant, so only administrators change its
 * destination.
 */
async function requireFullAccessToAll(
  tx: VaultTx,
  context: CallContext,
  which: (eb: ExpressionBuilder<VaultSchema, 'entries'>) => Expression<SqlBool>,
): Promise<void> {
  const { actor } = context;
  const administrator = isAdministrator(actor);
  context.accessBasis = administrator ? 'administrator' : 'owner or share';
  if (administrator) return;
  const refused = await tx
    .selectFrom('entries')
    .select('entries.id')
    .where('entries.status', '=', 'active')
    .where(which)
    .where((eb) =>
      eb.or([
        eb('entries.requires_grant', '=', true),
        sql<boolean>`standing_access(entries.owner_id, (SELECT s.access FROM shares s
          WHERE s.entry_id = entries.id AND s.user_id = ${actor.userId}::uuid), ${actor.userId}::uuid, false) <> 'full'`,
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  if (!refused) return;
  throw new ClavigerError(
    'denied',
    'This change would send secrets to a host, and you do not have full access to all of them.',
    {
      code: 'secrets_not_visible',
      hint: 'Ask an actor with vault.entries.retrieve-any to change the address of this resource.',
    },
  );
}
