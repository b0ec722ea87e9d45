import { ClavigerError } from '@claviger/errors';
import { type Actor, withinSites } from '@claviger/service-kit';
import type { Refusal } from './elevation-machine.ts';

/** The error for a move that is refused. */
export function refusalError(refusal: Refusal): ClavigerError {
  return refusal === 'wrong_status'
    ? new ClavigerError('conflict', 'The elevation is not in a status that allows this.', {
        code: 'wrong_status',
        hint: 'Read it again to see its status.',
      })
    : new ClavigerError('conflict', 'A concurrent call changed the elevation first.', {
        code: 'race_lost',
        hint: 'Read it again to see its status.',
      });
}

export function digestMismatch(): ClavigerError {
  return new ClavigerError('conflict', 'The request is for another action than the one named.', {
    code: 'digest_mismatch',
    hint: 'An approval is valid for one action only: request the action that you need.',
  });
}

export function longerThanAsked(minutes: number): ClavigerError {
  return ClavigerError.invalid(
    '/durationMinutes',
    `may be at most the ${minutes} requested minutes: a longer elevation requires a new request`,
  );
}

export function executionTimedOut(): ClavigerError {
  return new ClavigerError('conflict', 'The tool has stopped waiting for this decision.', {
    code: 'execution_timed_out',
    hint: 'Have the tool send a new request.',
  });
}

/** Throws `site_denied` for a request outside the sites of the actor. */
export function requireSite(actor: Pick<Actor, 'siteIds'>, siteId: string | null): void {
  if (withinSites(actor, siteId)) return;
  throw new ClavigerError('denied', 'This belongs to a site that is not one of yours.', {
    code: 'site_denied',
    hint: 'Ask a person of that site, or have an administrator assign the site to you.',
  });
}

export function decommissioned(pointer: string): ClavigerError {
  return new ClavigerError('invalid', 'The device is decommissioned.', {
    code: 'device_decommissioned',
    fields: [{ pointer, detail: 'names a device that no longer receives commands' }],
  });
}
