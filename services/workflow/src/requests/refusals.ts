import { ClavigerError } from '@claviger/errors';
import type { Refusal } from './request-machine.ts';

/** The error for a refused decision. */
export function refusalError(refusal: Refusal): ClavigerError {
  switch (refusal) {
    case 'self_approval':
      return new ClavigerError('denied', 'You cannot decide your own request.', {
        code: 'self_approval',
        hint: 'Ask another person who may decide, or cancel the request.',
      });
    case 'would_benefit':
      return new ClavigerError('denied', 'You would benefit from the lower protection that is requested.', {
        code: 'would_benefit',
        hint: 'Ask an approver who does not own or share the entry and may not see every secret.',
      });
    case 'not_eligible':
      return new ClavigerError('denied', 'You are not an approver of the current step.', {
        code: 'not_eligible',
        hint: 'The access policy of the resource names the approvers of each step.',
      });
    case 'not_requester':
      return new ClavigerError('denied', 'Only the requester can cancel a request.', {
        code: 'not_requester',
        hint: 'An approver can deny it instead.',
      });
    case 'wrong_status':
      return new ClavigerError('conflict', 'The request is no longer pending.', {
        code: 'wrong_status',
        hint: 'Read it again to see how it ended.',
      });
    case 'digest_mismatch':
      return new ClavigerError('conflict', 'The request has changed since you read it.', {
        code: 'digest_mismatch',
        hint: 'Read it again and decide on its current content.',
      });
    case 'already_decided':
      return new ClavigerError(
        'conflict',
        'You have already decided this request; each person counts once.',
        {
          code: 'already_decided',
        },
      );
    case 'longer_than_asked':
      return ClavigerError.invalid(
        '/durationMinutes',
        'is longer than requested: an approver may only shorten it',
      );
    default:
      return refusal satisfies never;
  }
}
