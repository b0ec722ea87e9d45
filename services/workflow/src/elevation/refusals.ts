import { ClavigerError } from '@claviger/errors';
import { type Actor, withinSites } from '@claviger/service-kit';
import type { Refusal } from './elevation-machine.ts';

/** What the caller is told when an elevation cannot be moved. */
export function refusalError(refusal: Refusal): ClavigerError {
  return refusal === 'wrong_status'
    ? new ClavigerError('conflict', 'The elevation is not in a status that allows this.', {
        code: 'wrong_status',
        hint: 'Read it again to see how it stands.',
      })
    : new ClavigerError('conflict', 'Somebody else was faster.', {
        code: 'race_lost',
        hint: 'Read it again to see what became of it.',
      });
}

export function digestMismatch(): ClavigerError {
  return new ClavigerError('conflict', 'The request is for another action than the one named.', {
    code: 'digest_mismatch',
    hint: 'An approval holds for one action: ask for the one that is meant.',
  });
}

export function longerThanAsked(minutes: number): ClavigerError {
  return ClavigerError.invalid(
    '/durationMinutes',
    `may be at most the ${minutes} minutes that were asked for: whoever needs longer asks again`,
  );
}

export function executionTimedOut(): ClavigerError {
  return new ClavigerError('conflict', 'The tool has stopped waiting for this decision.', {
    code: 'execution_timed_out',
    hint: 'Let the tool ask again.',
  });
}

/** Throws where somebody who is kept to sites touches what stands elsewhere. */
export function requireSite(actor: Pick<Actor, 'siteIds'>, siteId: string | null): void {
  if (withinSites(actor, siteId)) return;
  throw new ClavigerError('denied', 'This stands in a site that you have no part in.', {
    code: 'site_denied',
    hint: 'Ask somebody of that site, or an administrator for the site.',
  });
}

export function decommissioned(pointer: string): ClavigerError {
  return new ClavigerError('invalid', 'The device is decommissioned.', {
    code: 'device_decommissioned',
    fields: [{ pointer, detail: 'names a device that takes no commands any more' }],
  });
}
