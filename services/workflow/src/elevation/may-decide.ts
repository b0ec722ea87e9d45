import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Actor, peopleBehind } from '@claviger/service-kit';
import type { WorkflowSchema } from '../schema.ts';
import { noteDeviceUsers, usesDevice } from './device-users.ts';
import type { ElevationRow } from './elevation-schema.ts';
import { peopleOf, type Subject } from './resolve-subject.ts';

type Decider = Pick<Actor, 'userId' | 'behind'>;

/** Throws `own_request` for the requester, the subject, and everybody who may be the subject. */
export function refuseOwn(
  actor: Decider,
  row: Pick<ElevationRow, 'subject_user_id' | 'possible_user_ids' | 'requester_id' | 'requester_made_by'>,
): void {
  const theirs = [row.subject_user_id, row.requester_id, row.requester_made_by, ...row.possible_user_ids];
  if (!peopleBehind(actor).some((id) => theirs.includes(id))) return;
  throw new ClavigerError('denied', 'You cannot decide your own elevation.', {
    code: 'own_request',
    hint: 'Ask another person who may decide.',
  });
}

/**
 * Throws `own_device` for users of the device of a prompt: its enroller, everybody identified in one of its
 * prompts within 30 days, and its current administrator. `named`: the answer of auth for the name in the
 * prompt and the device.
 */
export async function refuseOwnDevice(
  tx: Tx<WorkflowSchema>,
  actor: Decider,
  row: Pick<ElevationRow, 'tenant_id' | 'flow_type' | 'device_id'>,
  named: Subject,
): Promise<void> {
  if (row.flow_type !== 'uac_intercept') return;
  const device = { tenantId: row.tenant_id, deviceId: row.device_id! };
  await noteDeviceUsers(tx, { ...device, userIds: peopleOf(named) });
  const people = peopleBehind(actor);
  const isEnroller = people.some((id) => named.deviceEnrollerIds.includes(id));
  if (!isEnroller && !(await usesDevice(tx, { ...device, userIds: people }))) return;
  throw new ClavigerError('denied', 'You cannot decide a prompt of a device that you use.', {
    code: 'own_device',
    hint: 'Ask a person who did not enroll the device and was not identified on it in the last 30 days.',
  });
}
