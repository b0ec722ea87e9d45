import { ClavigerError } from '@claviger/errors';
import { type Actor, peopleBehind } from '@claviger/service-kit';
import type { ElevationRow } from './elevation-schema.ts';

/** Nobody decides about what they asked for, what is for them, or what might be for them. */
export function refuseOwn(
  actor: Pick<Actor, 'userId' | 'madeBy'>,
  row: Pick<ElevationRow, 'subject_user_id' | 'possible_user_ids' | 'requester_id' | 'requester_made_by'>,
): void {
  const theirs = [row.subject_user_id, row.requester_id, row.requester_made_by, ...row.possible_user_ids];
  if (!peopleBehind(actor).some((id) => theirs.includes(id))) return;
  throw new ClavigerError('denied', 'Nobody decides about an elevation of their own.', {
    code: 'own_request',
    hint: 'Ask somebody else who may decide.',
  });
}
