import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Actor, peopleBehind } from '@claviger/service-kit';
import type { WorkflowSchema } from '../schema.ts';
import { noteDeviceUsers, usesDevice } from './device-users.ts';
import type { ElevationRow } from './elevation-schema.ts';
import { peopleOf, type Subject } from './resolve-subject.ts';

type Decider = Pick<Actor, 'userId' | 'behind'>;

/** Nobody decides about what they asked for, what is for them, or what might be for them. */
export function refuseOwn(
  actor: Decider,
  row: Pick<ElevationRow, 'subject_user_id' | 'possible_user_ids' | 'requester_id' | 'requester_made_by'>,
): void {
  const theirs = [row.subject_user_id, row.requester_id, row.requester_made_by, ...row.possible_user_ids];
  if (!peopleBehind(actor).some((id) => theirs.includes(id))) return;
  throw new ClavigerError('denied', 'Nobody decides about an elevation of their own.', {
    code: 'own_request',
    hint: 'Ask somebody else who may decide.',
  });
}

/**
 * Nobody decides on a prompt of a device they use: its enroller, whoever was seen behind its prompts within 30 days, and whoever is
 * its administrator now. `named`: what auth says of the name of the prompt and of the device.
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
  throw new ClavigerError('denied', 'Nobody decides on a prompt of a device that they use.', {
    code: 'own_device',
    hint: 'Ask somebody who neither enrolled the device nor was seen at it in the last 30 days.',
  });
}
