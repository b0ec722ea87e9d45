import { isClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { ElevationDeps } from './deps.ts';

/** Short, because the device waits. An unknown subject only prevents an automatic approval. */
const TIMEOUT_MS = 1_000;

export interface Subject {
  /** Undefined: unknown. Null: belongs to no user of this tenant. */
  readonly userId: string | null | undefined;
  readonly possibleUserIds: readonly string[];
  /** Undefined: unknown. */
  readonly groups: readonly string[] | undefined;
  /** The users who enrolled the reporting device. */
  readonly deviceEnrollerIds: readonly string[];
}

const UNKNOWN: Subject = {
  userId: undefined,
  possibleUserIds: [],
  groups: undefined,
  deviceEnrollerIds: [],
};

/** The subject, or all possible subjects. */
export function peopleOf({ userId, possibleUserIds }: Subject): string[] {
  return userId ? [userId, ...possibleUserIds] : [...possibleUserIds];
}

/** Resolves the name that a device reports. Throws when auth does not answer. */
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
    // A name of several users is unknown, not unowned.
    userId: userId || (possibleUserIds.length > 0 ? undefined : null),
    possibleUserIds,
    groups: found.groupsKnown ? found.groups : undefined,
    deviceEnrollerIds: found.deviceEnrollerIds,
  };
}

/** Like `resolveSubject`, but returns an unknown subject when auth does not answer in time. */
export async function subjectIfKnown(
  deps: Pick<ElevationDeps, 'devices' | 'logger'>,
  context: CallContext,
  username: string,
): Promise<Subject> {
  try {
    return await resolveSubject(deps, context, username);
  } catch (error) {
    if (!isClavigerError(error)) throw error;
    deps.logger.warn({ err: error }, 'auth cannot resolve the subject of an elevation');
    return UNKNOWN;
  }
}
