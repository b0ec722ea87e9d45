import { ClavigerError } from '@claviger/errors';
import type { Refusal } from './request-machine.ts';

/** What the caller is told when the rules say no. */
export function refusalError(refusal: Refusal): ClavigerError {
  switch (refusal) {
    case 'self_approval':
      return new ClavigerError('denied', 'Nobody decides on their own request.', {
        code: 'self_approval',
        hint: 'Ask somebody else who may decide, or cancel the request.',
      });
    case 'would_benefit':
      return new ClavigerError('denied', 'You would gain from the lower protection that this asks for.', {
        code: 'would_benefit',
        hint: 'An approver decides who neither owns nor shares the entry, nor may see every secret.',
      });
    case 'not_eligible':
      return new ClavigerError('denied', 'You are not among the approvers of the step that waits.', {
        code: 'not_eligible',
        hint: 'The access policy of the resource names the approvers of each step.',
      });
    case 'not_requester':
      return new ClavigerError('denied', 'Only the requester cancels a request.', {
        code: 'not_requester',
        hint: 'An approver can deny it instead.',
      });
    case 'wrong_status':
      return new ClavigerError('conflict', 'The request is no longer pending.', {
        code: 'wrong_status',
        hint: 'Read it again to see how it was settled.',
      });
    case 'digest_mismatch':
      return new ClavigerError('conflict', 'The request is not the one that you have seen.', {
        code: 'digest_mismatch',
        hint: 'Read it again and decide on what it asks for now.',
      });
    case 'already_decided':
      return new ClavigerError(
        'conflict',
        'You have decided on this request already; each person counts once.',
        {
          code: 'already_decided',
        },
      );
    case 'longer_than_asked':
      return ClavigerError.invalid(
        '/durationMinutes',
        'is longer than what was asked for: an approver may only shorten',
      );
    default:
      return refusal satisfies never;
  }
}
