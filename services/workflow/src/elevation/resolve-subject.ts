import { isClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { internalCall } from '../vault-call.ts';
import type { ElevationDeps } from './deps.ts';

/** A device waits for its answer, and an unknown subject only costs the automatic approval. */
const TIMEOUT_MS = 1_000;

export interface Subject {
  /** Undefined: not known. Null: known to be nobody of this organisation. */
  readonly userId: string | null | undefined;
  readonly possibleUserIds: readonly string[];
  /** Undefined: not known. */
  readonly groups: readonly string[] | undefined;
  /** Who enrolled the device that reports the name. */
  readonly deviceEnrollerIds: readonly string[];
}

const UNKNOWN: Subject = {
  userId: undefined,
  possibleUserIds: [],
  groups: undefined,
  deviceEnrollerIds: [],
};

/** Who is behind the name, or might be. */
export function peopleOf({ userId, possibleUserIds }: Subject): string[] {
  return userId ? [userId, ...possibleUserIds] : [...possibleUserIds];
}

/** Who is behind a name that a device reports. Throws when auth does not answer. */
export async function resolveSubject(
  deps: Pick<ElevationDeps, 'devices'>,
  context: CallContext,
  username: string,
  deviceId = '',
): Promise<Subject> {
  const found = await deps.devices.resolveSubject(
    { username, deviceId },
    { ...internalCall(context), timeoutMs: TIMEOUT_MS },
  );
  const { userId, possibleUserIds } = found;
  return {
    // Several who might be meant are not nobody.
    userId: userId || (possibleUserIds.length > 0 ? undefined : null),
    possibleUserIds,
    groups: found.groupsKnown ? found.groups : undefined,
    deviceEnrollerIds: found.deviceEnrollerIds,
  };
}

/** The same; a subject that auth does not name in time is not known. */
export async function subjectIfKnown(
  deps: Pick<ElevationDeps, 'devices' | 'logger'>,
  context: CallContext,
  username: string,
): Promise<Subject> {
  try {
    return await resolveSubject(deps, context, username);
  } catch (error) {
    if (!isClavigerError(error)) throw error;
    deps.logger.warn({ err: error }, 'auth does not say who the subject of an elevation is');
    return UNKNOWN;
  }
}
