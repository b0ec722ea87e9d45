import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema, LinkPurpose } from '../schema.ts';
import { newLinkToken } from '../sign-in/bearer-secrets.ts';

const MAX_TRIES = 5;

/** Creates a link, which replaces all earlier ones of its purpose. Only the hash of its secret is stored. */
export async function createLink(
  tx: Tx<AuthSchema>,
  input: { tenantId: string; purpose: LinkPurpose; userId: string | null; ttlMinutes: number },
): Promise<{ token: string; expiresAt: Date }> {
  await endLinks(tx, input.purpose, input.userId);
  const id = randomUUID();
  const { token, secretHash } = newLinkToken(input.tenantId, id);
  const row = await tx
    .insertInto('one_time_links')
    .values({
      tenant_id: input.tenantId,
      id,
      purpose: input.purpose,
      user_id: input.userId,
      secret_hash: secretHash,
      expires_at: sql`now() + make_interval(mins => ${input.ttlMinutes}::int)`,
      ended_at: null,
    })
    .returning('expires_at')
    .executeTakeFirstOrThrow();
  return { token, expiresAt: row.expires_at };
}

export async function endLinks(
  tx: Tx<AuthSchema>,
  purpose: LinkPurpose,
  userId: string | null,
): Promise<void> {
  await tx
    .updateTable('one_time_links')
    .set({ ended_at: sql`now()` })
    .where('purpose', '=', purpose)
    .where(userId === null ? sql<boolean>`user_id IS NULL` : sql<boolean>`user_id = ${userId}::uuid`)
    .where('ended_at', 'is', null)
    .execute();
}

export interface SpentLink {
  readonly right: boolean;
  /** Whether the link exists; its secret may have been wrong. */
  readonly known: boolean;
  readonly userId: string | null;
}

/**
 * Consumes a link. A wrong secret counts against the link, which ends at the fifth. A refusal is returned,
 * not thrown, so that the caller's transaction commits the count.
 */
export async function spendLink(
  tx: Tx<AuthSchema>,
  purpose: LinkPurpose,
  link: { linkId: string; secretHash: Buffer },
): Promise<SpentLink> {
  const row = await tx
    .selectFrom('one_time_links')
    .select(['user_id', 'secret_hash', 'failed_tries'])
    .where('id', '=', link.linkId)
    .where('purpose', '=', purpose)
    .where('ended_at', 'is', null)
    .where(sql<boolean>`expires_at > now()`)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return { right: false, known: false, userId: null };
  const right = timingSafeEqual(row.secret_hash, link.secretHash);
  const failed = right ? row.failed_tries : row.failed_tries + 1;
  await tx
    .updateTable('one_time_links')
    .set({ failed_tries: failed, ...(right || failed >= MAX_TRIES ? { ended_at: sql<Date>`now()` } : {}) })
    .where('id', '=', link.linkId)
    .execute();
  return { right, known: true, userId: row.user_id };
}

export function linkRefused(): ClavigerError {
  return new ClavigerError('unauthenticated', 'This link is no longer valid.', {
    code: 'link_invalid',
    hint: 'Ask an administrator for a new link.',
  });
}
