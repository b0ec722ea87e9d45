import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { VaultReader } from '../schema.ts';
import { type Access, levelOf, reaches } from './access.ts';
import { effectiveAccess } from './effective-access.ts';

const ALLOWED: Readonly<Record<Access, string>> = {
  none: 'You have no access to this entry',
  view: 'You may only see this entry',
  modify: 'You may change only value and metadata of this entry',
  full: 'You have full access to this entry',
};

/**
 * Throws `denied` unless the actor has the access that the method's policy declares, or the higher one that this change of it
 * takes. Notes the right in the context, so that the event of the call names it.
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
    hint: 'Ask its owner, or somebody with full access (a manage share), to do it or to share the entry with you.',
  });
}
