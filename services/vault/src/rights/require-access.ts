import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { VaultReader } from '../schema.ts';
import { type Access, levelOf, reaches } from './access.ts';
import { effectiveAccess } from './effective-access.ts';

const ALLOWED: Readonly<Record<Access, string>> = {
  none: 'You have no access to this entry',
  view: 'You have only view access to this entry',
  modify: 'You have only modify access to this entry: value and metadata',
  full: 'You have full access to this entry',
};

/**
 * Throws `denied` unless the actor has the access level of the method's policy, or the higher one that this
 * change needs. Stores the basis of the access in the context for the call's audit event.
 */
export async function requireAccess(
  reader: VaultReader,
  context: CallContext,
  entry: { readonly id: string },
  level: Access = levelOf(context.method.policy!.access),
): Promise<void> {
  if (level === 'none') return;
  const { access, basis } = await effectiveAccess(reader, context.actor, entry.id);
  if (!reaches(access, level)) throw insufficientAccess(access, level);
  context.accessBasis = basis;
}

export function insufficientAccess(access: Access, needed: Access): ClavigerError {
  return new ClavigerError('denied', `${ALLOWED[access]}: this takes ${needed} access.`, {
    code: 'insufficient_access',
    hint: 'Ask its owner, or a user with full access (a manage share), to do it or to share the entry with you.',
  });
}
